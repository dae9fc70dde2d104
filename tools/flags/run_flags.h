// The flags of every tool that trains: where the run lives, how long it is and how it is watched.
#ifndef TOOLS_FLAGS_RUN_FLAGS_H_
#define TOOLS_FLAGS_RUN_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "distributed/training/trainer.h"

namespace tools {

// The trainer's options from the flags, with every flag as its settings, after ArithmeticFromFlags.
// InvalidArgument naming the flag that is missing or wrong.
absl::StatusOr<distributed::TrainerOptions> TrainerOptionsFromFlags();

// --run: a file in it.
std::string InRunFolder(const std::string& name);

}  // namespace tools

#endif  // TOOLS_FLAGS_RUN_FLAGS_H_
