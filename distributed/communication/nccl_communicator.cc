#include "distributed/communication/nccl_communicator.h"

#include <nccl.h>
#include <stdlib.h>
#include <string.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
#include "distributed/communication/collectives_in_flight.h"
#include "distributed/communication/communicator_factory.h"
#include "distributed/communication/nccl_channel.h"
#include "distributed/communication/rank_agreement.h"
#include "glog/logging.h"

namespace distributed {
namespace {

[[maybe_unused]] const bool registered = RegisterCudaCommunicator(&CreateNcclCommunicator);

constexpr absl::Duration kWatchInterval = absl::Milliseconds(50);
constexpr int kAskedAtOnce = 1000;
constexpr absl::Duration kAskInterval = absl::Microseconds(20);

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

enum ChannelOf { kBulk, kPrompt, kChannels };

// A collective that the stream of its channel has been told of.
struct Launched {
  std::atomic<bool> told = false;
  at::cuda::CUDAEvent done;

  bool over() const { return told && done.query(); }
};

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> cpu, absl::Duration timeout)
      : Communicator(cpu->place()), cpu_(std::move(cpu)), timeout_(timeout) {}

  ~NcclCommunicator() override {
    bool sound = false;
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      sound = error_.ok() && !abandoned_;
    }
    if (watcher_.joinable()) watcher_.join();
    const bool together = sound && Leave().ok();
    for (NcclChannel& channel : channels_) together ? channel.Destroy() : channel.Abort();
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
    return Reduce(kBulk, tensor, op);
  }

  absl::Status AllReduce(const at::Tensor& tensor, ReduceOp op) override {
    if (tensor.device().is_cpu()) return cpu_->AllReduce(tensor, op);
    return Reduce(kPrompt, tensor, op)->Wait();
  }

  absl::Status Broadcast(const at::Tensor& tensor, int root) override {
    if (tensor.device().is_cpu()) return cpu_->Broadcast(tensor, root);
    CHECK(tensor.is_contiguous());
    return Launch(kPrompt, Describe("broadcast", tensor), {tensor},
                  [&](ncclComm_t comm, cudaStream_t stream) {
                    return ncclBroadcast(tensor.data_ptr(), tensor.data_ptr(), tensor.nbytes(),
                                         ncclUint8, root, comm, stream);
                  })
        ->Wait();
  }

  absl::StatusOr<at::Tensor> AllGather(const at::Tensor& tensor) override {
    if (tensor.device().is_cpu()) return cpu_->AllGather(tensor);
    CHECK(tensor.is_contiguous());
    std::vector<int64_t> shape = tensor.sizes().vec();
    shape.insert(shape.begin(), size());
    at::Tensor all = at::empty(shape, tensor.options());
    RETURN_IF_ERROR(Launch(kPrompt, Describe("all_gather", tensor), {tensor, all},
                           [&](ncclComm_t comm, cudaStream_t stream) {
                             return ncclAllGather(tensor.data_ptr(), all.data_ptr(),
                                                  tensor.nbytes(), ncclUint8, comm, stream);
                           })
                        ->Wait());
    return all;
  }

  // Moreover waits for what this rank has queued on its device, where a collective may fail long
  // after its Wait(), and lets every rank know the error of any.
  absl::Status Barrier() override {
    // Without the lock, which the watcher needs to end a collective that hangs.
    for (const NcclChannel& channel : channels_) channel.stream().synchronize();
    absl::Status status;
    {
      absl::MutexLock lock(&mutex_);
      if (error_.ok()) error_ = Health();
      status = error_;
    }
    return AgreeOnStatus(*cpu_, status);
  }

  void Abandon() override {
    abandoned_ = true;
    cpu_->Abandon();
  }

 private:
  using Call = std::function<ncclResult_t(ncclComm_t, cudaStream_t)>;

  class LaunchedWork : public Work {
   public:
    LaunchedWork(NcclCommunicator* communicator, std::shared_ptr<Launched> launched)
        : communicator_(communicator), launched_(std::move(launched)) {}

    absl::Status Wait() override {
      if (launched_ != nullptr) launched_->done.block(c10::cuda::getCurrentCUDAStream());
      absl::MutexLock lock(&communicator_->mutex_);
      return communicator_->error_;
    }

   private:
    NcclCommunicator* const communicator_;
    const std::shared_ptr<Launched> launched_;  // Null: it could not be launched.
  };

  absl::Status TryJoin() {
    ncclUniqueId ids[kChannels] = {};
    absl::Status started;
    for (int i = 0; rank() == 0 && i < kChannels && started.ok(); ++i) {
      started = NcclStatus("NCCL does not start", ncclGetUniqueId(&ids[i]));
    }
    RETURN_IF_ERROR(AgreeOnStatus(*cpu_, started));
    const at::Tensor bytes = at::empty({static_cast<int64_t>(sizeof(ids))}, at::kByte);
    memcpy(bytes.data_ptr(), ids, sizeof(ids));
    RETURN_IF_ERROR(cpu_->Broadcast(bytes, /*root=*/0));
    memcpy(ids, bytes.data_ptr(), sizeof(ids));
    for (int i = 0; i < kChannels; ++i) {
      RETURN_IF_ERROR(channels_[i].Join(ids[i], rank(), size()));
      RETURN_IF_ERROR(AwaitAlone(channels_[i], "joining"));
    }
    return absl::OkStatus();
  }

  absl::Status Leave() {
    for (NcclChannel& channel : channels_) {
      RETURN_IF_ERROR(channel.Leave());
      RETURN_IF_ERROR(AwaitAlone(channel, "leaving"));
    }
    return absl::OkStatus();
  }

  // Waits until NCCL has done what it was last told, while no watcher runs.
  absl::Status AwaitAlone(const NcclChannel& channel, absl::string_view what) const {
    const absl::Time deadline = absl::Now() + timeout_;
    while (true) {
      const ncclResult_t result = channel.Progress();
      if (result != ncclInProgress) return NcclStatus(what, result);
      if (absl::Now() > deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat(what, ": nothing for ", absl::FormatDuration(timeout_)));
      }
      absl::SleepFor(kAskInterval);
    }
  }

  std::unique_ptr<Work> Reduce(ChannelOf channel, const at::Tensor& tensor, ReduceOp op) {
    CHECK(tensor.is_contiguous());
    const ncclRedOp_t nccl_op = op == ReduceOp::kSum ? ncclSum : ncclAvg;
    return Launch(channel, Describe("all_reduce", tensor), {tensor},
                  [&](ncclComm_t comm, cudaStream_t stream) {
                    return ncclAllReduce(tensor.data_ptr(), tensor.data_ptr(), tensor.numel(),
                                         NcclType(tensor.scalar_type()), nccl_op, comm, stream);
                  });
  }

  // Launches `call` on the channel's stream, behind what the current stream has queued. Returns
  // once NCCL has launched it, so that collectives are launched in the order of the calls on both
  // channels.
  std::unique_ptr<Work> Launch(ChannelOf of, const std::string& what,
                               const std::vector<at::Tensor>& tensors, const Call& call) {
    absl::MutexLock order(&order_);
    const NcclChannel& channel = channels_[of];
    const c10::cuda::CUDAStream& stream = channel.stream();
    const int64_t sequence = next_sequence_++;
    auto launched = std::make_shared<Launched>();
    {
      absl::MutexLock lock(&mutex_);
      if (!error_.ok()) return std::make_unique<LaunchedWork>(this, nullptr);
      at::cuda::CUDAEvent ready;
      ready.record(c10::cuda::getCurrentCUDAStream());
      ready.block(stream);
      for (const at::Tensor& tensor : tensors) {
        // The allocator must not give the memory away while the other stream uses it.
        c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), stream);
      }
      in_flight_.Add(of, {.what = what,
                          .sequence = sequence,
                          .deadline = absl::Now() + timeout_,
                          .over = [launched] { return launched->over(); }});
      const absl::Status status =
          NcclStatus("cannot be queued", call(channel.comm(), stream.stream()));
      if (!status.ok()) error_ = Annotate(what, sequence, status);
    }
    if (!AwaitLaunch(channel, what, sequence)) {
      return std::make_unique<LaunchedWork>(this, nullptr);
    }
    launched->done.record(stream);
    launched->told = true;
    return std::make_unique<LaunchedWork>(this, std::move(launched));
  }

  // Waits until NCCL's host code has launched what it was last told, which at first means that it
  // connects the ranks; or, and then returns false, until there is an error. The watcher, which
  // makes one of it if that takes too long, has the lock in between.
  bool AwaitLaunch(const NcclChannel& channel, const std::string& what, int64_t sequence)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(order_) {
    for (int asked = 1;; ++asked) {
      {
        absl::MutexLock lock(&mutex_);
        if (!error_.ok()) return false;
        const ncclResult_t result = channel.Progress();
        if (result == ncclSuccess) return true;
        const absl::Status status = NcclStatus("cannot be launched", result);
        if (!status.ok()) error_ = Annotate(what, sequence, status);
      }
      // Once ranks have met, it takes less than it takes to wake up.
      if (asked > kAskedAtOnce) absl::SleepFor(kAskInterval);
    }
  }

  void Watch() {
    const c10::cuda::CUDAGuard guard(channels_[kBulk].stream().device());
    while (true) {
      absl::Status status;
      std::optional<CollectiveInFlight> first;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kWatchInterval);
        if (stopping_) return;
        if (!error_.ok()) return Abort();
        first = in_flight_.First();
        if (!first.has_value()) continue;
        status = Health();
        if (status.ok() && absl::Now() > first->deadline) {
          status = absl::DeadlineExceededError(
              absl::StrCat("not done after ", absl::FormatDuration(timeout_)));
        }
        if (status.ok()) continue;
      }
      // The ranks that are still there meet, and learn who is not.
      const absl::Status peers = cpu_->Barrier();
      absl::MutexLock lock(&mutex_);
      if (!peers.ok()) {
        status = absl::Status(status.code(), absl::StrCat(status.message(), "; ", peers.message()));
      }
      if (error_.ok()) error_ = Annotate(first->what, first->sequence, status);
      return Abort();
    }
  }

  // The first error that NCCL has met on its own.
  absl::Status Health() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const NcclChannel& channel : channels_) {
      RETURN_IF_ERROR(NcclStatus("NCCL", channel.Progress()));
    }
    return absl::OkStatus();
  }

  // What hangs on either channel ends.
  void Abort() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (NcclChannel& channel : channels_) channel.Abort();
  }

  absl::Status Annotate(absl::string_view what, int64_t sequence,
                        const absl::Status& status) const {
    return absl::Status(status.code(), absl::StrCat("rank ", rank(), " (", place_.host, "): ", what,
                                                    ", #", sequence, ": ", status.message()));
  }

  const std::unique_ptr<Communicator> cpu_;
  const absl::Duration timeout_;
  bool abandoned_ = false;

  absl::Mutex order_;  // Held from a collective's number to its launch.
  int64_t next_sequence_ ABSL_GUARDED_BY(order_) = 0;

  // Held while NCCL is called, so that the watcher cannot abort in between.
  absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(order_);
  std::array<NcclChannel, kChannels> channels_;  // The watcher ends them under the lock.
  absl::Status error_ ABSL_GUARDED_BY(mutex_);   // The first one.
  CollectivesInFlight in_flight_ ABSL_GUARDED_BY(mutex_){kChannels};
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
  // Of two communicators' kernels on a device, the one called first starts first; else ranks may
  // start them in different orders, fill their devices with them, and wait for each other for ever.
  setenv("NCCL_LAUNCH_ORDER_IMPLICIT", "1", /*overwrite=*/0);
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
