#include "nas/learning/parameter_group.h"

#include <limits>
#include <utility>

#include "nas/learning/clip_gradients.h"

namespace nas {

ParameterGroup::ParameterGroup(std::string name, NamedTensors parameters,
                               const Optimizer::Options& options, const Schedule& rate,
                               double max_gradient_norm)
    : name_(std::move(name)),
      tensors_(Values(parameters)),
      rate_(rate),
      max_gradient_norm_(max_gradient_norm > 0 ? max_gradient_norm
                                               : std::numeric_limits<double>::infinity()),
      optimizer_(std::move(parameters), options) {}

void ParameterGroup::ClearGradients() {
  for (const at::Tensor& tensor : tensors_) tensor.mutable_grad() = at::Tensor();
}

at::Tensor ParameterGroup::Step(int64_t epoch, double epoch_share) {
  at::Tensor norm = ClipGradients(tensors_, max_gradient_norm_);
  optimizer_.Step(Rate(epoch, epoch_share));
  return norm;
}

std::vector<at::Tensor> TensorsOf(const std::vector<const ParameterGroup*>& groups) {
  std::vector<at::Tensor> tensors;
  for (const ParameterGroup* group : groups) {
    tensors.insert(tensors.end(), group->tensors().begin(), group->tensors().end());
  }
  return tensors;
}

}  // namespace nas
