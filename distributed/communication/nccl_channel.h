// One of NCCL's communicators with the stream on which its collectives run.
//
// No call of it waits for other ranks. NCCL takes one call at a time on all channels of a process
// together, none while an earlier one is in progress (Progress), and each rank's in the same order.
#ifndef DISTRIBUTED_COMMUNICATION_NCCL_CHANNEL_H_
#define DISTRIBUTED_COMMUNICATION_NCCL_CHANNEL_H_

#include <nccl.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "c10/cuda/CUDAStream.h"

namespace distributed {

// Unavailable, unless NCCL has accepted what it was told, or is about to.
absl::Status NcclStatus(absl::string_view what, ncclResult_t result);

class NcclChannel {
 public:
  // On a high-priority stream of the current device.
  NcclChannel() : stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true)) {}
  NcclChannel(const NcclChannel&) = delete;
  NcclChannel& operator=(const NcclChannel&) = delete;

  const c10::cuda::CUDAStream& stream() const { return stream_; }
  ncclComm_t comm() const { return comm_; }  // Null before Join() and after the end.

  // Begins to join the ranks that have this id.
  absl::Status Join(const ncclUniqueId& id, int rank, int size);

  // Begins to leave them, together with all of them.
  absl::Status Leave();

  // How NCCL gets on with what it was last told: ncclInProgress until that is done on the host,
  // also by other ranks where they must agree; then ncclSuccess or what went wrong.
  ncclResult_t Progress() const;

  // The end: after Leave() is done, or at any time, when collectives under way end without a
  // result.
  void Destroy();
  void Abort();

 private:
  const c10::cuda::CUDAStream stream_;
  ncclComm_t comm_ = nullptr;
};

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_NCCL_CHANNEL_H_
