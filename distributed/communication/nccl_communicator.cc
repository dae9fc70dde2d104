#include "distributed/communication/nccl_communicator.h"

#include <nccl.h>
#include <string.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/cuda/CUDAEvent.h"
#include "ATen/ops/empty.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/processors.h"
#include "base/status_macros.h"
#include "c10/cuda/CUDACachingAllocator.h"
#include "c10/cuda/CUDAFunctions.h"
#include "c10/cuda/CUDAGuard.h"
#include "c10/cuda/CUDAStream.h"
#include "cuda_runtime_api.h"
#include "distributed/communication/communicator_factory.h"
#include "distributed/communication/rank_agreement.h"
#include "glog/logging.h"

namespace distributed {
namespace {

[[maybe_unused]] const bool registered = RegisterCudaCommunicator(&CreateNcclCommunicator);

constexpr absl::Duration kWatchInterval = absl::Milliseconds(50);
constexpr int kAskedAtOnce = 1000;

absl::Status NcclError(absl::string_view what, ncclResult_t result) {
  return absl::UnavailableError(absl::StrCat(what, ": ", ncclGetErrorString(result)));
}

// Calls of a communicator that does not block return before they are done.
bool Accepted(ncclResult_t result) { return result == ncclSuccess || result == ncclInProgress; }

ncclDataType_t NcclType(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
      return ncclFloat32;
    case at::kDouble:
      return ncclFloat64;
    case at::kLong:
      return ncclInt64;
    default:
      LOG(FATAL) << "no reduction of " << at::toString(dtype);
  }
}

std::string Describe(const char* collective, const at::Tensor& tensor) {
  return absl::StrCat(collective, " of ", tensor.numel(), " ", at::toString(tensor.scalar_type()));
}

// A collective queued on the device.
struct Queued {
  std::string what;
  int64_t sequence;
  absl::Time deadline;
  at::cuda::CUDAEvent done;
};

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> cpu, absl::Duration timeout)
      : Communicator(cpu->place()),
        cpu_(std::move(cpu)),
        timeout_(timeout),
        stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true)) {}

  ~NcclCommunicator() override {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    if (watcher_.joinable()) watcher_.join();
    if (nccl_ == nullptr) return;
    absl::MutexLock lock(&mutex_);
    const bool together =
        error_.ok() && !abandoned_ && Accepted(ncclCommFinalize(nccl_)) && Await("leaving").ok();
    if (together) {
      ncclCommDestroy(nccl_);
    } else {
      ncclCommAbort(nccl_);
    }
  }

  // After an error the destructor waits for no other rank.
  absl::Status Join() {
    absl::Status joined = TryJoin();
    if (joined.ok()) {
      watcher_ = std::thread([this] { Watch(); });
      return joined;
    }
    Abandon();
    return absl::Status(joined.code(),
                        absl::StrCat("rank ", rank(), " (", place_.host, "): ", joined.message()));
  }
  std::unique_ptr<Work> AllReduceAsync(at::Tensor tensor, ReduceOp op) override {
    if (tensor.device().is_cpu()) return cpu_->AllReduceAsync(std::move(tensor), op);
    CHECK(tensor.is_contiguous());
    const ncclRedOp_t nccl_op = op == ReduceOp::kSum ? ncclSum : ncclAvg;
    return Enqueue(Describe("all_reduce", tensor), {tensor}, [&](cudaStream_t stream) {
      return ncclAllReduce(tensor.data_ptr(), tensor.data_ptr(), tensor.numel(),
                           NcclType(tensor.scalar_type()), nccl_op, nccl_, stream);
    });
  }

  absl::Status Broadcast(const at::Tensor& tensor, int root) override {
    if (tensor.device().is_cpu()) return cpu_->Broadcast(tensor, root);
    CHECK(tensor.is_contiguous());
    return Enqueue(Describe("broadcast", tensor), {tensor},
                   [&](cudaStream_t stream) {
                     return ncclBroadcast(tensor.data_ptr(), tensor.data_ptr(), tensor.nbytes(),
                                          ncclUint8, root, nccl_, stream);
                   })
        ->Wait();
  }

  absl::StatusOr<at::Tensor> AllGather(const at::Tensor& tensor) override {
    if (tensor.device().is_cpu()) return cpu_->AllGather(tensor);
    CHECK(tensor.is_contiguous());
    std::vector<int64_t> shape = tensor.sizes().vec();
    shape.insert(shape.begin(), size());
    at::Tensor all = at::empty(shape, tensor.options());
    RETURN_IF_ERROR(
        Enqueue(Describe("all_gather", tensor), {tensor, all}, [&](cudaStream_t stream) {
          return ncclAllGather(tensor.data_ptr(), all.data_ptr(), tensor.nbytes(), ncclUint8, nccl_,
                               stream);
        })->Wait());
    return all;
  }

  // Moreover waits for what this rank has queued on its device, where a collective may fail long
  // after its Wait(), and lets every rank know the error of any.
  absl::Status Barrier() override {
    // Without the lock, which the watcher needs to end a collective that hangs.
    stream_.synchronize();
    absl::Status status;
    {
      absl::MutexLock lock(&mutex_);
      if (error_.ok() && nccl_ != nullptr) {
        ncclResult_t result = ncclSuccess;
        ncclCommGetAsyncError(nccl_, &result);
        if (!Accepted(result)) error_ = NcclError("NCCL", result);
      }
      status = error_;
    }
    return AgreeOnStatus(*cpu_, status);
  }

  void Abandon() override {
    abandoned_ = true;
    cpu_->Abandon();
  }

 private:
  class QueuedWork : public Work {
   public:
    QueuedWork(NcclCommunicator* communicator, std::shared_ptr<Queued> queued)
        : communicator_(communicator), queued_(std::move(queued)) {}

    absl::Status Wait() override {
      if (queued_ != nullptr) queued_->done.block(c10::cuda::getCurrentCUDAStream());
      absl::MutexLock lock(&communicator_->mutex_);
      return communicator_->error_;
    }

   private:
    NcclCommunicator* const communicator_;
    const std::shared_ptr<Queued> queued_;  // Null: it could not be queued.
  };

  absl::Status TryJoin() {
    ncclUniqueId id = {};
    absl::Status started;
    if (rank() == 0) {
      const ncclResult_t result = ncclGetUniqueId(&id);
      if (result != ncclSuccess) started = NcclError("NCCL does not start", result);
    }
    RETURN_IF_ERROR(AgreeOnStatus(*cpu_, started));
    const at::Tensor bytes = at::empty({static_cast<int64_t>(sizeof(id))}, at::kByte);
    memcpy(bytes.data_ptr(), &id, sizeof(id));
    RETURN_IF_ERROR(cpu_->Broadcast(bytes, /*root=*/0));
    memcpy(&id, bytes.data_ptr(), sizeof(id));

    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;  // No call of the host waits for other ranks.
    const ncclResult_t result = ncclCommInitRankConfig(&nccl_, size(), id, rank(), &config);
    if (!Accepted(result)) return NcclError("joining", result);
    absl::MutexLock lock(&mutex_);
    return Await("joining");
  }

  // Queues `launch` on the communicator's stream, behind what the current stream has queued.
  std::unique_ptr<Work> Enqueue(std::string what, const std::vector<at::Tensor>& tensors,
                                const std::function<ncclResult_t(cudaStream_t)>& launch) {
    auto queued = std::make_shared<Queued>();
    absl::MutexLock lock(&mutex_);
    queued->what = std::move(what);
    queued->sequence = next_sequence_++;
    queued->deadline = absl::Now() + timeout_;
    if (!error_.ok()) return std::make_unique<QueuedWork>(this, nullptr);

    at::cuda::CUDAEvent ready;
    ready.record(c10::cuda::getCurrentCUDAStream());
    ready.block(stream_);
    for (const at::Tensor& tensor : tensors) {
      // The allocator must not give the memory away while the other stream uses it.
      c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), stream_);
    }
    const ncclResult_t result = launch(stream_.stream());
    absl::Status status =
        Accepted(result) ? Await(queued->what) : NcclError("cannot be queued", result);
    if (!status.ok()) {
      error_ = Annotate(*queued, status);
      return std::make_unique<QueuedWork>(this, nullptr);
    }
    queued->done.record(stream_);
    queued_.push_back(queued);
    return std::make_unique<QueuedWork>(this, std::move(queued));
  }

  // Waits until NCCL's host code has done what it was last told.
  absl::Status Await(absl::string_view what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Time deadline = absl::Now() + timeout_;
    ncclResult_t result = ncclInProgress;
    for (int asked = 1;; ++asked) {
      ncclCommGetAsyncError(nccl_, &result);
      if (result == ncclSuccess) return absl::OkStatus();
      if (result != ncclInProgress) return NcclError(what, result);
      if (absl::Now() > deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat(what, ": nothing for ", absl::FormatDuration(timeout_)));
      }
      // Once ranks have met, it takes less than it takes to wake up.
      if (asked > kAskedAtOnce) absl::SleepFor(absl::Microseconds(20));
    }
  }

  void Watch() {
    const c10::cuda::CUDAGuard guard(stream_.device());
    while (true) {
      absl::Status status;
      std::shared_ptr<Queued> oldest;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kWatchInterval);
        if (stopping_ || !error_.ok()) return;
        while (!queued_.empty() && queued_.front()->done.query()) queued_.pop_front();
        if (queued_.empty()) continue;
        oldest = queued_.front();
        ncclResult_t result = ncclSuccess;
        ncclCommGetAsyncError(nccl_, &result);
        if (!Accepted(result)) {
          status = NcclError("NCCL", result);
        } else if (absl::Now() > oldest->deadline) {
          status = absl::DeadlineExceededError(
              absl::StrCat("not done after ", absl::FormatDuration(timeout_)));
        }
        if (status.ok()) continue;
      }
      // The ranks that are still there meet, and learn who is not.
      const absl::Status peers = cpu_->Barrier();
      absl::MutexLock lock(&mutex_);
      error_ = Annotate(
          *oldest, peers.ok() ? status
                              : absl::Status(status.code(), absl::StrCat(status.message(), "; ",
                                                                         peers.message())));
      ncclCommAbort(std::exchange(nccl_, nullptr));
      return;
    }
  }

  absl::Status Annotate(const Queued& queued, const absl::Status& status) const {
    return absl::Status(status.code(),
                        absl::StrCat("rank ", rank(), " (", place_.host, "): ", queued.what, ", #",
                                     queued.sequence, ": ", status.message()));
  }

  const std::unique_ptr<Communicator> cpu_;
  const absl::Duration timeout_;
  const c10::cuda::CUDAStream stream_;
  bool abandoned_ = false;

  // Held while NCCL is called, so that the watcher cannot abort in between.
  absl::Mutex mutex_;
  ncclComm_t nccl_ = nullptr;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);  // The first one.
  int64_t next_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::shared_ptr<Queued>> queued_ ABSL_GUARDED_BY(mutex_);  // Not yet seen done.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread watcher_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Communicator>> CreateNcclCommunicator(
    std::unique_ptr<Communicator> cpu, absl::Duration timeout) {
  const int local_rank = cpu->place().local_rank;
  const int devices = c10::cuda::device_count();
  absl::Status found;
  if (local_rank >= devices) {
    found = absl::InvalidArgumentError(absl::StrCat("rank ", cpu->rank(), " is number ",
                                                    local_rank + 1, " on ", cpu->place().host,
                                                    ", which has ", devices, " CUDA devices"));
  }
  // All ranks learn of it, instead of waiting for the one that has no device.
  RETURN_IF_ERROR(AgreeOnStatus(*cpu, found));
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(local_rank));
  // What reads, decodes and launches stays on the device's side of the host.
  char bus[32] = "";
  if (cudaDeviceGetPCIBusId(bus, sizeof(bus), local_rank) == cudaSuccess) {
    base::KeepTo(base::ProcessorsNear(bus));
  }
  auto communicator = std::make_unique<NcclCommunicator>(std::move(cpu), timeout);
  RETURN_IF_ERROR(communicator->Join());
  return communicator;
}

}  // namespace distributed
