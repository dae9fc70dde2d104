// The flags of every tool that trains: where the run lives, how it is watched, on what it runs.
#ifndef TOOLS_FLAGS_RUN_FLAGS_H_
#define TOOLS_FLAGS_RUN_FLAGS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "c10/core/Device.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/trainer.h"

namespace tools {

// The trainer's options from the flags, with every flag as its settings, after ArithmeticFromFlags.
// InvalidArgument naming the flag that is missing or wrong.
absl::StatusOr<distributed::TrainerOptions> TrainerOptionsFromFlags();

// --seed.
uint64_t SeedFromFlags();

// --run: a file in it.
std::string InRunFolder(const std::string& name);

// --reproducible: sets up the arithmetic. Called before anything is computed. Errors name the flag.
absl::Status ArithmeticFromFlags();

// --device: where the network computes. InvalidArgument if there is no such device.
absl::StatusOr<c10::DeviceType> DeviceFromFlags();

// The communicator of this process for tensors on `device`.
absl::StatusOr<std::unique_ptr<distributed::Communicator>> CommunicatorFromFlags(
    c10::DeviceType device);

}  // namespace tools

#endif  // TOOLS_FLAGS_RUN_FLAGS_H_
