// CUDA tensors over NCCL, beside a communicator for CPU tensors.
//
// Linked in by --config=cuda; it makes itself known to CreateCommunicator. A collective waits on
// the device for what the current stream has queued, and the current stream waits for it: the host
// waits for neither.
//
// There are two channels, each an NCCL communicator with a high-priority stream of its own: bulk
// for AllReduceAsync(), prompt for the others, which somebody waits for. So a small all-reduce of
// the backward pass does not wait until the gradients queued before it have travelled. The contract
// of order holds for both together: every rank issues the same collectives in the same order,
// whatever their channels. They are launched in that order, one at a time, and start in it on every
// device (NCCL_LAUNCH_ORDER_IMPLICIT=1, set here unless the environment says otherwise), as NCCL
// demands of communicators that share a device; after their start they overlap. A prompt one
// therefore waits for the start of the bulk ones before it: of several, for the end of all but the
// last.
//
// Since a GPU that waits for a missing rank says nothing, a thread watches the collectives under
// way; when one exceeds the timeout it aborts both channels, so that nothing hangs, and asks the
// other ranks over the CPU communicator which of them are still there. Barrier() also waits for the
// collectives queued before it on both channels, and returns the first error of theirs on any rank:
// what must not rest on a failed one, such as a checkpoint, is written after it.
#ifndef DISTRIBUTED_COMMUNICATION_NCCL_COMMUNICATOR_H_
#define DISTRIBUTED_COMMUNICATION_NCCL_COMMUNICATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// Joins the ranks of `cpu` with NCCL, whose unique ids rank 0 gives to the others over `cpu`, and
// makes the CUDA device numbered by the local rank the current one. InvalidArgument if this host
// has fewer devices than ranks. Reductions take float32, float64 and int64.
absl::StatusOr<std::unique_ptr<Communicator>> CreateNcclCommunicator(
    std::unique_ptr<Communicator> cpu, absl::Duration timeout);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_NCCL_COMMUNICATOR_H_
