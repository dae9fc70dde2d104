// A module's tensors as a map, for files and checkpoints.
#ifndef BASE_MODULE_STATE_H_
#define BASE_MODULE_STATE_H_

#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "torch/nn/module.h"

namespace base {

// Parameters and buffers by name, aliasing the module's.
TensorMap ModuleState(const torch::nn::Module& module);

// Copies `state` into the tensors of the same names, whatever its dtypes and devices. Both hold the
// same names; InvalidArgument naming the tensor that is missing, unknown, of another shape or not
// finite (with the place of the value); then nothing has changed.
absl::Status CopyState(const TensorMap& state, const TensorMap& into);

}  // namespace base

#endif  // BASE_MODULE_STATE_H_
