// Parameters that learn alike: a task has one group for its weights, one for alphas and betas, one
// for gammas.
//
//   ParameterGroup weights("weights", NamedParameters(*network),
//                          Optimizer::SgdOptions{.momentum = 0.9}, schedule,
//                          /*max_gradient_norm=*/5);
//   weights.ClearGradients();
//   loss.backward();
//   const at::Tensor norm = weights.Step(epoch, context.epoch_share);
#ifndef NAS_LEARNING_PARAMETER_GROUP_H_
#define NAS_LEARNING_PARAMETER_GROUP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "nas/learning/optimizer.h"
#include "nas/learning/schedules.h"

namespace nas {

class ParameterGroup {
 public:
  // `name` is the group's in a task's state. `max_gradient_norm` bounds the norm of the gradient
  // over the whole group; 0: unbounded.
  ParameterGroup(std::string name, NamedTensors parameters, const Optimizer::Options& options,
                 const Schedule& rate, double max_gradient_norm);

  const std::vector<at::Tensor>& tensors() const { return tensors_; }
  double Rate(int64_t epoch, double epoch_share = 1) const {
    return rate_.Rate(epoch, epoch_share);
  }

  void ClearGradients();

  // Clips the parameters' gradients and steps along them at the rate of Schedule::Rate; a parameter
  // without one stays as it is. Returns the gradient's norm before clipping (0 without gradients),
  // 0-dimensional, float64, on the parameters' device.
  at::Tensor Step(int64_t epoch, double epoch_share = 1);

  // See Optimizer.
  std::vector<at::Tensor> MomentumBuffers() const { return optimizer_.MomentumBuffers(); }
  void AppendState(base::TensorMap& state) const { optimizer_.AppendState(name_, state); }
  absl::Status LoadState(const base::TensorMap& state) {
    return optimizer_.LoadState(name_, state);
  }

 private:
  const std::string name_;
  const std::vector<at::Tensor> tensors_;
  const Schedule rate_;
  const double max_gradient_norm_;
  Optimizer optimizer_;
};

// The tensors of several groups, one group after the other.
std::vector<at::Tensor> TensorsOf(const std::vector<const ParameterGroup*>& groups);

}  // namespace nas

#endif  // NAS_LEARNING_PARAMETER_GROUP_H_
