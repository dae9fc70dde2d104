#include "distributed/mpi_communicator.h"

#include <mpi.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
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
#include "absl/synchronization/notification.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "distributed/host_name.h"
#include "distributed/mpi_exchange.h"
#include "distributed/mpi_shared_memory.h"
#include "glog/logging.h"

namespace distributed {
namespace {

// Up to this size an all-reduce is one round of whole tensors instead of two of parts.
constexpr int64_t kSmallBytes = 16 << 10;

constexpr int kHostNameBytes = 256;
constexpr int kTags = 32768;  // What MPI guarantees.

// A collective in the queue, and its handle.
class Job {
 public:
  explicit Job(std::function<absl::Status()> body) : body_(std::move(body)) {}

  void Run() {
    status_ = body_();
    body_ = nullptr;
    done_.Notify();
  }

  absl::Status Wait() {
    done_.WaitForNotification();
    return status_;
  }

 private:
  std::function<absl::Status()> body_;
  absl::Status status_;
  absl::Notification done_;
};

class JobWork : public Work {
 public:
  explicit JobWork(std::shared_ptr<Job> job) : job_(std::move(job)) {}
  absl::Status Wait() override { return job_->Wait(); }

 private:
  std::shared_ptr<Job> job_;
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
      : Communicator(std::move(place)), timeout_(timeout) {
    worker_ = std::thread([this] { RunJobs(); });
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
    CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
    return Enqueue(Describe("all_reduce", tensor), [this, tensor, op](int tag) {
      return AllReduceNow(tensor.view({-1}), op, tag);
    });
  }

  absl::Status Broadcast(const at::Tensor& tensor, int root) override {
    CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
    return Enqueue(Describe("broadcast", tensor),
                   [this, &tensor, root](int tag) {
                     std::vector<Message> sends, receives;
                     if (rank() != root) receives.push_back(MessageOf(root, tensor));
                     for (int peer = 0; rank() == root && peer < size(); ++peer) {
                       if (peer != root) sends.push_back(MessageOf(peer, tensor));
                     }
                     return Exchange(sends, receives, Options(tag));
                   })
        ->Wait();
  }

  absl::StatusOr<at::Tensor> AllGather(const at::Tensor& tensor) override {
    CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
    at::Tensor all;
    RETURN_IF_ERROR(Enqueue(Describe("all_gather", tensor), [&](int tag) {
                      return AllGatherNow(tensor, all, tag);
                    })->Wait());
    return all;
  }

  absl::Status Barrier() override {
    const at::Tensor nothing = at::empty({0}, at::kByte);
    return Enqueue("barrier",
                   [this, &nothing](int tag) {
                     at::Tensor all;
                     return AllGatherNow(nothing, all, tag);
                   })
        ->Wait();
  }

  void Abandon() override { abandoned_ = true; }

 private:
  // Queues `collective`, which takes the tag of its first round; the next tag is its as well.
  std::unique_ptr<Work> Enqueue(std::string what, std::function<absl::Status(int)> collective) {
    absl::MutexLock lock(&mutex_);
    const int64_t sequence = next_sequence_++;
    auto job = std::make_shared<Job>([this, sequence, what = std::move(what),
                                      collective = std::move(collective)] {
      if (!error_.ok()) return error_;
      const absl::Status status = collective(static_cast<int>(2 * sequence % kTags));
      if (!status.ok()) {
        error_ = absl::Status(status.code(), absl::StrCat(DescribeRank(rank()), ": ", what, ", #",
                                                          sequence, ": ", status.message()));
      }
      return error_;
    });
    jobs_.push_back(job);
    return std::make_unique<JobWork>(std::move(job));
  }

  void RunJobs() {
    const c10::NoGradGuard no_grad;
    while (true) {
      std::shared_ptr<Job> job;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(this, &MpiCommunicator::HasJobOrStops));
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job->Run();
    }
  }

  bool HasJobOrStops() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !jobs_.empty();
  }

  absl::Status AllReduceNow(const at::Tensor& flat, ReduceOp op, int tag) {
    const auto reduce = [&](const at::Tensor& terms, const at::Tensor& result) {
      result.copy_(terms[0]);
      for (int rank = 1; rank < size(); ++rank) result.add_(terms[rank]);
      if (op == ReduceOp::kMean) result.div_(size());
    };
    if (flat.nbytes() <= kSmallBytes) {
      at::Tensor terms;
      RETURN_IF_ERROR(AllGatherNow(flat, terms, tag));
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
    RETURN_IF_ERROR(Exchange(parts, terms_of_mine, Options(tag)));
    reduce(terms, mine);
    return Exchange(my_sum, sums, Options(tag + 1));
  }

  absl::Status AllGatherNow(const at::Tensor& tensor, at::Tensor& all, int tag) {
    std::vector<int64_t> shape = tensor.sizes().vec();
    shape.insert(shape.begin(), size());
    all = at::empty(shape, tensor.options());
    all[rank()].copy_(tensor);
    std::vector<Message> sends, receives;
    for (int peer = 0; peer < size(); ++peer) {
      if (peer == rank()) continue;
      sends.push_back(MessageOf(peer, tensor));
      receives.push_back(MessageOf(peer, all[peer]));
    }
    return Exchange(sends, receives, Options(tag));
  }

  ExchangeOptions Options(int tag) const {
    return {tag, timeout_, [this](int rank) { return DescribeRank(rank); }};
  }

  std::string DescribeRank(int rank) const {
    if (hosts_.empty()) return absl::StrCat("rank ", rank);  // Not introduced yet.
    return absl::StrCat("rank ", rank, " (", hosts_[rank], ")");
  }

  const absl::Duration timeout_;
  std::vector<std::string> hosts_;  // By rank.
  absl::Status error_;              // The first error; the worker's own.
  bool abandoned_ = false;
  MpiSharedMemory shared_memory_;
  const pid_t launcher_ = getppid();

  absl::Mutex mutex_;
  int64_t next_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::shared_ptr<Job>> jobs_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread worker_;
};

}  // namespace

bool LaunchedByMpi() {
  return getenv("OMPI_COMM_WORLD_SIZE") != nullptr || getenv("PMIX_RANK") != nullptr;
}

absl::StatusOr<std::unique_ptr<Communicator>> CreateMpiCommunicator(absl::Duration timeout) {
  int provided = 0;
  // After this call only the communicator's thread calls MPI, and at the end its destructor.
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
