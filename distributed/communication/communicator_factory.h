// How a library for a device, linked in by --config=cuda, makes itself known to CreateCommunicator.
#ifndef DISTRIBUTED_COMMUNICATION_COMMUNICATOR_FACTORY_H_
#define DISTRIBUTED_COMMUNICATION_COMMUNICATOR_FACTORY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// Puts a communicator for a device's tensors on top of one for CPU tensors.
using DeviceCommunicatorFactory = absl::StatusOr<std::unique_ptr<Communicator>> (*)(
    std::unique_ptr<Communicator> cpu, absl::Duration timeout);

// Called while static storage is initialized; returns true.
bool RegisterCudaCommunicator(DeviceCommunicatorFactory factory);

// nullptr if none is linked in.
DeviceCommunicatorFactory CudaCommunicatorFactory();

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_COMMUNICATOR_FACTORY_H_
