// The trained weights that a flag names.
#ifndef TOOLS_PROGRAM_READ_WEIGHTS_H_
#define TOOLS_PROGRAM_READ_WEIGHTS_H_

#include <string>

#include "absl/status/status.h"
#include "base/tensor_file.h"

namespace tools {

// Copies weights into `state`, whose tensors alias a network's: those of a file
// (nas/weights/weight_file.h), or of the folder of a training's checkpoint
// (distributed/training/checkpoint.h). Errors name `path` and, as these do, what is wrong.
absl::Status ReadWeightsOrCheckpoint(const std::string& path, const base::TensorMap& state);

}  // namespace tools

#endif  // TOOLS_PROGRAM_READ_WEIGHTS_H_
