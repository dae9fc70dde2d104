// CUDA tensors over NCCL, on a stream of their own, beside a communicator for CPU tensors.
//
// Linked in by --config=cuda; it makes itself known to CreateCommunicator. A collective waits on
// the device for what the current stream has queued, and the current stream waits for it: the host
// waits for neither. Since a GPU that waits for a missing rank says nothing, a thread watches the
// collectives under way; when one exceeds the timeout it aborts NCCL's communicator, so that
// nothing hangs, and asks the other ranks over the CPU communicator which of them are still there.
// Barrier() also waits for the collectives queued before it, and returns the first error of theirs
// on any rank: what must not rest on a failed one, such as a checkpoint, is written after it.
#ifndef DISTRIBUTED_COMMUNICATION_NCCL_COMMUNICATOR_H_
#define DISTRIBUTED_COMMUNICATION_NCCL_COMMUNICATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// Joins the ranks of `cpu` with NCCL, whose unique id rank 0 gives to the others over `cpu`, and
// makes the CUDA device numbered by the local rank the current one. InvalidArgument if this host
// has fewer devices than ranks. Reductions take float32, float64 and int64.
absl::StatusOr<std::unique_ptr<Communicator>> CreateNcclCommunicator(
    std::unique_ptr<Communicator> cpu, absl::Duration timeout);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_NCCL_COMMUNICATOR_H_
