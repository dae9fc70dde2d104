// The flags of every tool that computes a network: on what, how exactly, and with how much patience
// for other ranks.
#ifndef TOOLS_FLAGS_DEVICE_FLAGS_H_
#define TOOLS_FLAGS_DEVICE_FLAGS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "c10/core/Device.h"
#include "distributed/communication/communicator.h"

namespace tools {

// --reproducible: sets up the arithmetic. Called before anything is computed. Errors name the flag.
absl::Status ArithmeticFromFlags();

// --reproducible.
bool ReproducibleFromFlags();

// --device: where the network computes. InvalidArgument if there is no such device.
absl::StatusOr<c10::DeviceType> DeviceFromFlags();

// The communicator of this process for tensors on `device`.
absl::StatusOr<std::unique_ptr<distributed::Communicator>> CommunicatorFromFlags(
    c10::DeviceType device);

}  // namespace tools

#endif  // TOOLS_FLAGS_DEVICE_FLAGS_H_
