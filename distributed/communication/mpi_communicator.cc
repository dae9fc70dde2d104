#include "distributed/communication/mpi_communicator.h"

#include <mpi.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "distributed/communication/host_name.h"
#include "distributed/communication/mpi_exchange.h"
#include "distributed/communication/mpi_gather.h"
#include "distributed/communication/mpi_roll_call.h"
#include "distributed/communication/mpi_shared_memory.h"
#include "glog/logging.h"

namespace distributed {
namespace {

constexpr int kHostNameBytes = 256;
constexpr int kTags = RollCall::kTag - 1;  // An even number.
constexpr absl::Duration kAttendInterval = absl::Milliseconds(100);

struct Collective {
  int64_t sequence;
  std::string what;
  std::function<absl::Status(const Collective&)> body;
  std::optional<absl::Status> result;  // Guarded by the communicator's running_.
};

// The part of a flat tensor that rank `rank` of `size` adds up.
at::Tensor Chunk(const at::Tensor& flat, int rank, int size) {
  return flat.slice(0, flat.numel() * rank / size, flat.numel() * (rank + 1) / size);
}

Message MessageOf(int peer, const at::Tensor& tensor) {
  return {peer, tensor.data_ptr(), static_cast<int64_t>(tensor.nbytes())};
}

std::string Describe(const char* collective, const at::Tensor& tensor) {
  return absl::StrCat(collective, " of ", tensor.numel(), " ", at::toString(tensor.scalar_type()));
}

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator(Place place, absl::Duration timeout)
      : Communicator(std::move(place)), roll_call_(rank(), size(), timeout) {
    worker_ = std::thread([this] { RunQueue(); });
  }

  ~MpiCommunicator() override {
    // The ranks leave together: MPI_Finalize would wait for a missing one without end. Nor does it
    // end well once the launcher has died and left its processes to another parent.
    const bool together = !abandoned_ && Barrier().ok() && getppid() == launcher_;
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    worker_.join();
    if (together) {
      shared_memory_.Relink();
      MPI_Finalize();
    }
  }

  // Lets the ranks know each other's hosts, and finds this one's place on its own.
  absl::Status Introduce() {
    at::Tensor name = at::empty({kHostNameBytes}, at::kByte).zero_();
    std::copy_n(place_.host.data(), std::min<size_t>(place_.host.size(), kHostNameBytes - 1),
                static_cast<char*>(name.data_ptr()));
    ASSIGN_OR_RETURN(const at::Tensor names, AllGather(name));
    for (int rank = 0; rank < size(); ++rank) {
      hosts_.emplace_back(static_cast<const char*>(names[rank].data_ptr()));
      if (rank < place_.rank && hosts_.back() == place_.host) ++place_.local_rank;
    }
    shared_memory_.Unlink(place_.rank);
    return absl::OkStatus();
  }

  std::unique_ptr<Work> AllReduceAsync(at::Tensor tensor, ReduceOp op) override {
    auto collective = AllReduceOf(std::move(tensor), op);
    absl::MutexLock lock(&mutex_);
    collective->sequence = next_sequence_++;
    queue_.push_back(collective);
    return std::make_unique<QueuedWork>(this, std::move(collective));
  }

  absl::Status AllReduce(const at::Tensor& tensor, ReduceOp op) override {
    return Perform(AllReduceOf(tensor, op));
  }

  absl::Status Broadcast(const at::Tensor& tensor, int root) override {
    CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
    return Perform(NewCollective(
        Describe("broadcast", tensor), [this, &tensor, root](const Collective& collective) {
          return BroadcastBlock(rank(), size(), root, static_cast<int64_t>(tensor.nbytes()),
                                tensor.data_ptr(), Options(collective));
        }));
  }

  absl::StatusOr<at::Tensor> AllGather(const at::Tensor& tensor) override {
    CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
    at::Tensor all;
    RETURN_IF_ERROR(
        Perform(NewCollective(Describe("all_gather", tensor), [&](const Collective& collective) {
          return AllGatherNow(tensor, all, collective);
        })));
    return all;
  }

  absl::Status Barrier() override {
    const at::Tensor nothing = at::empty({0}, at::kByte);
    return Perform(NewCollective("barrier", [this, &nothing](const Collective& collective) {
      at::Tensor all;
      return AllGatherNow(nothing, all, collective);
    }));
  }

  void Abandon() override { abandoned_ = true; }

 private:
  using Body = std::function<absl::Status(const Collective&)>;

  // The handle of a collective in the queue.
  class QueuedWork : public Work {
   public:
    QueuedWork(MpiCommunicator* communicator, std::shared_ptr<Collective> collective)
        : communicator_(*communicator), collective_(std::move(collective)) {}
    absl::Status Wait() override { return communicator_.WaitFor(*collective_); }

   private:
    MpiCommunicator& communicator_;
    std::shared_ptr<Collective> collective_;
  };

  // This thread waits.
  class Waiting {
   public:
    explicit Waiting(std::atomic<int>& threads) : threads_(threads) { ++threads_; }
    ~Waiting() { --threads_; }

   private:
    std::atomic<int>& threads_;
  };

  static std::shared_ptr<Collective> NewCollective(std::string what, Body body) {
    auto collective = std::make_shared<Collective>();
    collective->what = std::move(what);
    collective->body = std::move(body);
    return collective;
  }

  std::shared_ptr<Collective> AllReduceOf(at::Tensor tensor, ReduceOp op) {
    CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
    std::string what = Describe("all_reduce", tensor);
    return NewCollective(std::move(what),
                         [this, tensor = std::move(tensor), op](const Collective& collective) {
                           return AllReduceNow(tensor.view({-1}), op, collective);
                         });
  }

  // Runs `collective` in the caller's thread, since it has nothing else to do, after those in the
  // queue.
  absl::Status Perform(std::shared_ptr<Collective> collective) {
    const Waiting waiting(waiting_);
    absl::MutexLock running(&running_);
    while (RunNext()) {
    }
    {
      absl::MutexLock lock(&mutex_);
      collective->sequence = next_sequence_++;
    }
    Run(*collective);
    return *collective->result;
  }

  absl::Status WaitFor(Collective& collective) {
    const Waiting waiting(waiting_);
    absl::MutexLock running(&running_);
    while (!collective.result.has_value()) RunNext();
    return *collective.result;
  }

  // Runs what is queued, and answers the other ranks' roll calls while this one computes.
  void RunQueue() {
    while (true) {
      bool idle = false;
      {
        absl::MutexLock lock(&mutex_);
        const bool called = mutex_.AwaitWithTimeout(
            absl::Condition(this, &MpiCommunicator::HasQueueOrStops), kAttendInterval);
        if (called && queue_.empty()) return;
        idle = !called;
      }
      if (!idle) {
        absl::MutexLock running(&running_);
        RunNext();
      } else if (running_.TryLock()) {  // Else the thread that has it attends.
        if (error_.ok() && size() > 1) roll_call_.Attend(absl::Now());
        running_.Unlock();
      }
    }
  }

  bool HasQueueOrStops() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  }

  // Runs the first collective of the queue, if there is one.
  bool RunNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(running_) {
    std::shared_ptr<Collective> collective;
    {
      absl::MutexLock lock(&mutex_);
      if (queue_.empty()) return false;
      collective = std::move(queue_.front());
      queue_.pop_front();
    }
    Run(*collective);
    return true;
  }

  void Run(Collective& collective) ABSL_EXCLUSIVE_LOCKS_REQUIRED(running_) {
    const c10::NoGradGuard no_grad;
    if (error_.ok()) {
      roll_call_.Begin(collective.sequence);
      // No message is under way if another rank has ended before.
      const absl::Status status =
          roll_call_.told().ok() ? collective.body(collective) : roll_call_.told();
      roll_call_.End();
      if (!status.ok()) {
        error_ = absl::Status(status.code(),
                              absl::StrCat(DescribeRank(rank()), ": ", collective.what, ", #",
                                           collective.sequence, ": ", status.message()));
      }
    }
    collective.body = nullptr;
    collective.result = error_;
  }

  absl::Status AllReduceNow(const at::Tensor& flat, ReduceOp op, const Collective& collective) {
    const auto reduce = [&](const at::Tensor& terms, const at::Tensor& result) {
      result.copy_(terms[0]);
      for (int rank = 1; rank < size(); ++rank) result.add_(terms[rank]);
      if (op == ReduceOp::kMean) result.div_(size());
    };
    if (flat.nbytes() <= kSmallBytes) {
      at::Tensor terms;
      RETURN_IF_ERROR(AllGatherNow(flat, terms, collective));
      reduce(terms, flat);
      return absl::OkStatus();
    }
    const at::Tensor mine = Chunk(flat, rank(), size());
    const at::Tensor terms = at::empty({size(), mine.numel()}, flat.options());
    terms[rank()].copy_(mine);
    std::vector<Message> parts, terms_of_mine, sums, my_sum;
    for (int peer = 0; peer < size(); ++peer) {
      if (peer == rank()) continue;
      parts.push_back(MessageOf(peer, Chunk(flat, peer, size())));
      terms_of_mine.push_back(MessageOf(peer, terms[peer]));
      my_sum.push_back(MessageOf(peer, mine));
      sums.push_back(MessageOf(peer, Chunk(flat, peer, size())));
    }
    RETURN_IF_ERROR(Exchange(parts, terms_of_mine, Options(collective)));
    reduce(terms, mine);
    return Exchange(my_sum, sums, Options(collective, /*round=*/1));
  }

  absl::Status AllGatherNow(const at::Tensor& tensor, at::Tensor& all,
                            const Collective& collective) {
    std::vector<int64_t> shape = tensor.sizes().vec();
    shape.insert(shape.begin(), size());
    all = at::empty(shape, tensor.options());
    all[rank()].copy_(tensor);
    return GatherBlocks(rank(), size(), static_cast<int64_t>(tensor.nbytes()), all.data_ptr(),
                        Options(collective));
  }

  // A rank meets a peer in up to two rounds of a collective.
  ExchangeOptions Options(const Collective& collective, int round = 0)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(running_) {
    return {static_cast<int>((2 * collective.sequence + round) % kTags),
            [this](int rank) { return DescribeRank(rank); }, &waiting_, &roll_call_};
  }

  std::string DescribeRank(int rank) const {
    if (hosts_.empty()) return absl::StrCat("rank ", rank);  // Not introduced yet.
    return absl::StrCat("rank ", rank, " (", hosts_[rank], ")");
  }

  std::vector<std::string> hosts_;  // By rank.
  bool abandoned_ = false;
  MpiSharedMemory shared_memory_;
  const pid_t launcher_ = getppid();

  std::atomic<int> waiting_ = 0;  // Threads that can do nothing but wait for collectives.

  absl::Mutex running_;  // Held while a collective runs: one thread at a time calls MPI.
  RollCall roll_call_ ABSL_GUARDED_BY(running_);
  absl::Status error_ ABSL_GUARDED_BY(running_);  // The first error.

  absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(running_);
  int64_t next_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::shared_ptr<Collective>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread worker_;
};

}  // namespace

bool LaunchedByMpi() {
  return getenv("OMPI_COMM_WORLD_SIZE") != nullptr || getenv("PMIX_RANK") != nullptr;
}

absl::StatusOr<std::unique_ptr<Communicator>> CreateMpiCommunicator(absl::Duration timeout) {
  int provided = 0;
  // The communicator sees to it that one thread at a time calls MPI.
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS ||
      provided < MPI_THREAD_SERIALIZED) {
    return absl::UnavailableError("MPI does not start, or not with threads");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  Place place{.host = HostName()};
  MPI_Comm_rank(MPI_COMM_WORLD, &place.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &place.size);
  auto communicator = std::make_unique<MpiCommunicator>(std::move(place), timeout);
  RETURN_IF_ERROR(communicator->Introduce());
  return communicator;
}

}  // namespace distributed
