// The communicator that suits how this process was started and what it computes on.
#ifndef DISTRIBUTED_COMMUNICATION_CREATE_COMMUNICATOR_H_
#define DISTRIBUTED_COMMUNICATION_CREATE_COMMUNICATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distributed/communication/communicator.h"

namespace distributed {

struct CommunicatorOptions {
  // What a collective may take: longer than any rank computes, or writes a checkpoint, alone.
  absl::Duration timeout = absl::Minutes(5);
  // Exchange CUDA tensors too, on the device that the local rank selects.
  bool cuda = false;
};

// mpirun or srun: MPI; otherwise a job of one process. For CUDA, NCCL on top of either.
// InvalidArgument if CUDA is asked of a binary built without it or of a host without enough
// devices.
absl::StatusOr<std::unique_ptr<Communicator>> CreateCommunicator(
    const CommunicatorOptions& options);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_CREATE_COMMUNICATOR_H_
