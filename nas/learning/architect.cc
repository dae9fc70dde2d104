#include "nas/learning/architect.h"

#include "ATen/TensorOperators.h"
#include "ATen/ops/linalg_vector_norm.h"
#include "ATen/ops/stack.h"
#include "absl/cleanup/cleanup.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "torch/csrc/autograd/autograd.h"

namespace nas {
namespace {

std::vector<at::Tensor> Gradients(const at::Tensor& loss, const std::vector<at::Tensor>& inputs) {
  return torch::autograd::grad({loss}, inputs, /*grad_outputs=*/{}, /*retain_graph=*/std::nullopt,
                               /*create_graph=*/false, /*allow_unused=*/true);
}

std::vector<at::Tensor> Clone(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> clones;
  clones.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) clones.push_back(tensor.detach().clone());
  return clones;
}

void Copy(const std::vector<at::Tensor>& from, const std::vector<at::Tensor>& into) {
  c10::NoGradGuard no_grad;
  for (size_t i = 0; i < from.size(); ++i) into[i].copy_(from[i]);
}

// variables = origin + scale * direction; where the direction is undefined, origin.
void MoveTo(const std::vector<at::Tensor>& origin, double scale,
            const std::vector<at::Tensor>& direction, const std::vector<at::Tensor>& variables) {
  c10::NoGradGuard no_grad;
  for (size_t i = 0; i < origin.size(); ++i) {
    variables[i].copy_(origin[i]);
    if (direction[i].defined()) variables[i].add_(direction[i], scale);
  }
}

double Norm(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> norms;
  for (const at::Tensor& tensor : tensors) {
    if (tensor.defined()) norms.push_back(at::linalg_vector_norm(tensor));
  }
  return norms.empty() ? 0 : at::linalg_vector_norm(at::stack(norms)).item<double>();
}

}  // namespace

absl::StatusOr<std::vector<at::Tensor>> FirstOrderGradients(
    const LossFunction& search_loss, const std::vector<at::Tensor>& architecture,
    const AverageFunction& average) {
  std::vector<at::Tensor> gradients = Gradients(search_loss(), architecture);
  RETURN_IF_ERROR(average(architecture, absl::MakeSpan(gradients)));
  return gradients;
}

absl::StatusOr<std::vector<at::Tensor>> SecondOrderGradients(
    const LossFunction& search_loss, const std::vector<at::Tensor>& architecture,
    const LookAhead& look_ahead, const AverageFunction& average) {
  const std::vector<at::Tensor>& variables = look_ahead.variables;
  std::vector<at::Tensor> direction = Gradients(look_ahead.train_loss(), variables);
  RETURN_IF_ERROR(average(variables, absl::MakeSpan(direction)));

  const std::vector<at::Tensor> origin = Clone(variables);
  const std::vector<at::Tensor> buffers = Clone(look_ahead.buffers);
  const absl::Cleanup restore = [&] { Copy(origin, variables); };

  for (size_t i = 0; i < variables.size(); ++i) {
    at::Tensor step = origin[i] * look_ahead.weight_decay;
    if (direction[i].defined()) step.add_(direction[i]);
    if (i < look_ahead.momentum_buffers.size() && look_ahead.momentum_buffers[i].defined()) {
      step.add_(look_ahead.momentum_buffers[i], look_ahead.momentum);
    }
    direction[i] = step;
  }
  MoveTo(origin, -look_ahead.learning_rate, direction, variables);

  std::vector<at::Tensor> both = architecture;
  both.insert(both.end(), variables.begin(), variables.end());
  std::vector<at::Tensor> gradients = Gradients(search_loss(), both);
  Copy(buffers, look_ahead.buffers);
  std::vector<at::Tensor> v(gradients.begin() + architecture.size(), gradients.end());
  gradients.resize(architecture.size());
  RETURN_IF_ERROR(average(variables, absl::MakeSpan(v)));

  const double norm = Norm(v);
  if (norm > 0) {
    const double r = 0.01 / norm;
    MoveTo(origin, r, v, variables);
    const std::vector<at::Tensor> above = Gradients(look_ahead.train_loss(), architecture);
    MoveTo(origin, -r, v, variables);
    const std::vector<at::Tensor> below = Gradients(look_ahead.train_loss(), architecture);
    for (size_t i = 0; i < architecture.size(); ++i) {
      if (!above[i].defined()) continue;
      const at::Tensor implicit = (above[i] - below[i]) * (look_ahead.learning_rate / (2 * r));
      gradients[i] = gradients[i].defined() ? gradients[i] - implicit : -implicit;
    }
  }
  RETURN_IF_ERROR(average(architecture, absl::MakeSpan(gradients)));
  return gradients;
}

}  // namespace nas
