#include "nas/supernet/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "ATen/TensorOperators.h"
#include "ATen/ops/randn_like.h"
#include "ATen/ops/zeros_like.h"
#include "c10/core/GradMode.h"
#include "torch/csrc/autograd/autograd.h"

namespace nas {

double GradientError(const std::vector<at::Tensor>& inputs,
                     const std::function<at::Tensor()>& function) {
  constexpr double kStep = 1e-6;
  for (const at::Tensor& input : inputs) input.set_requires_grad(true);
  const at::Tensor output = function();
  const at::Tensor r = at::randn_like(output).detach();
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({(output * r).sum()}, inputs, {}, std::nullopt, false,
                            /*allow_unused=*/true);

  c10::NoGradGuard no_grad;
  const auto value = [&] { return (function() * r).sum().item<double>(); };
  double worst = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const at::Tensor gradient =
        gradients[i].defined() ? gradients[i].contiguous() : at::zeros_like(inputs[i]).contiguous();
    // Element by element through a contiguous copy: inputs may be views.
    at::Tensor x = inputs[i].detach().clone(at::MemoryFormat::Contiguous);
    for (int64_t j = 0; j < x.numel(); ++j) {
      double& element = x.data_ptr<double>()[j];
      const double kept = element;
      element = kept + kStep;
      inputs[i].copy_(x);
      const double above = value();
      element = kept - kStep;
      inputs[i].copy_(x);
      const double below = value();
      element = kept;
      inputs[i].copy_(x);
      const double numeric = (above - below) / (2 * kStep);
      worst = std::max(worst, std::abs(numeric - gradient.data_ptr<double>()[j]));
    }
  }
  return worst;
}

}  // namespace nas
