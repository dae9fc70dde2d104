// SGD and Adam over named parameters, with a state that travels by name.
#ifndef NAS_LEARNING_OPTIMIZER_H_
#define NAS_LEARNING_OPTIMIZER_H_

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "nas/learning/sgd.h"
#include "torch/nn/module.h"
#include "torch/optim/adam.h"

namespace nas {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

NamedTensors NamedParameters(const torch::nn::Module& module);

std::vector<at::Tensor> Values(const NamedTensors& named);

// The entries of a task's state that are its network's: what moves it (optimizers, a cost
// controller) stands under "optimizer/".
base::TensorMap WithoutOptimizers(const base::TensorMap& state);

// An optimizer whose learning rate is given at every step and whose state is read and written under
// the names of its parameters. Parameters are on one device.
class Optimizer {
 public:
  using SgdOptions = nas::SgdOptions;
  struct AdamOptions {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double weight_decay = 0;
  };

  using Options = std::variant<SgdOptions, AdamOptions>;

  Optimizer(NamedTensors parameters, const Options& options);

  // Steps along the parameters' gradients; a parameter without one stays as it is.
  void Step(double learning_rate);

  const NamedTensors& parameters() const { return parameters_; }

  // The momentum buffer of each parameter in order, undefined before its first step and with Adam.
  const std::vector<at::Tensor>& MomentumBuffers() const { return momentum_buffers_; }

  // Adds the state to `state`, as `optimizer/<group>/<parameter>/<field>`.
  void AppendState(const std::string& group, base::TensorMap& state) const;

  // Takes the state back. InvalidArgument naming the entry that has the wrong shape or is
  // incomplete.
  absl::Status LoadState(const std::string& group, const base::TensorMap& state);

 private:
  const NamedTensors parameters_;
  const std::vector<at::Tensor> tensors_;  // The same without their names.
  const Options options_;
  std::vector<at::Tensor> momentum_buffers_;  // By parameter.
  std::unique_ptr<torch::optim::Adam> adam_;  // Null with SGD.
};

}  // namespace nas

#endif  // NAS_LEARNING_OPTIMIZER_H_
