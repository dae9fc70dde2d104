#include "nas/learning/clip_gradients.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "ATen/TensorOperators.h"
#include "ATen/ops/_foreach_mul.h"
#include "ATen/ops/_foreach_norm.h"
#include "ATen/ops/clamp.h"
#include "ATen/ops/linalg_vector_norm.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/zeros.h"
#include "c10/core/GradMode.h"
#include "nas/learning/tensor_slices.h"

namespace nas {

at::Tensor ClipGradients(const std::vector<at::Tensor>& parameters, double max_norm) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (gradients.empty()) return at::zeros({}, at::kDouble);

  const at::TensorList all(gradients);
  std::vector<at::Tensor> norms(gradients.size());
  ForSlices(gradients, [&](int64_t first, int64_t last) {
    std::vector<at::Tensor> part = at::_foreach_norm(all.slice(first, last - first));
    std::move(part.begin(), part.end(), norms.begin() + first);
  });
  const at::Tensor norm = norms.size() == 1 ? norms[0] : at::linalg_vector_norm(at::stack(norms));

  const at::Tensor scale = (max_norm / (norm + 1e-6)).clamp(std::nullopt, 1.0);
  // Known here, it spares a pass that changes nothing; elsewhere the host would wait for it.
  if (!scale.is_cpu() || scale.item<double>() != 1) {
    ForSlices(gradients, [&](int64_t first, int64_t last) {
      at::_foreach_mul_(all.slice(first, last - first), scale);
    });
  }
  return norm.to(at::kDouble);
}

}  // namespace nas
