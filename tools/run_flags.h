// The flags of every tool that trains: where the run lives, how it is watched, on what it runs.
#ifndef TOOLS_RUN_FLAGS_H_
#define TOOLS_RUN_FLAGS_H_

#include "absl/status/statusor.h"
#include "distributed/trainer.h"

namespace tools {

// The trainer's options from the flags. InvalidArgument naming the flag that is missing or wrong.
absl::StatusOr<distributed::TrainerOptions> TrainerOptionsFromFlags();

}  // namespace tools

#endif  // TOOLS_RUN_FLAGS_H_
