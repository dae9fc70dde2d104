// The trained weights that a flag names.
#ifndef TOOLS_PROGRAM_READ_WEIGHTS_H_
#define TOOLS_PROGRAM_READ_WEIGHTS_H_

#include <string>

#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "nas/weights/weight_file.h"

namespace tools {

// Copies weights into `state`, whose tensors alias a network's: those of a file
// (nas/weights/weight_file.h), or of the folder of a training's checkpoint
// (distributed/training/checkpoint.h), which has no fixed ranges of activations. What is kept
// beside them goes to `companions`, if that is not null. `kept_prefix` is nas::ReadWeights'; of a
// checkpoint, nothing is kept. Errors name `path` and, as these do, what is wrong.
absl::Status ReadWeightsOrCheckpoint(const std::string& path, const base::TensorMap& state,
                                     nas::WeightCompanions* companions = nullptr,
                                     const std::string& kept_prefix = "");

}  // namespace tools

#endif  // TOOLS_PROGRAM_READ_WEIGHTS_H_
