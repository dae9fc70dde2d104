// A module's tensors as a map, for files and checkpoints.
#ifndef NAS_MODULE_STATE_H_
#define NAS_MODULE_STATE_H_

#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "torch/nn/module.h"

namespace nas {

// Parameters and buffers by name, aliasing the module's.
base::TensorMap ModuleState(const torch::nn::Module& module);

// Copies `state` into the tensors of the same names, whatever its dtypes and devices. Both hold the
// same names; InvalidArgument naming the tensor that is missing, unknown, of another shape or not
// finite (with the place of the value); then nothing has changed.
absl::Status CopyState(const base::TensorMap& state, const base::TensorMap& into);

}  // namespace nas

#endif  // NAS_MODULE_STATE_H_
