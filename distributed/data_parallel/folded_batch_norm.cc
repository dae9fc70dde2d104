#include "distributed/data_parallel/folded_batch_norm.h"

#include "ATen/TensorOperators.h"

namespace distributed {

at::Tensor FoldedBatchNorm::Apply(const at::Tensor& x) const {
  const auto along = [](const at::Tensor& v) { return v.to(at::kDouble).reshape({1, -1, 1, 1}); };
  return (x.to(at::kDouble) * along(scale) + along(shift)).to(x.scalar_type());
}

FoldedBatchNorm FoldBatchNorm(const at::Tensor& weight, const at::Tensor& bias,
                              const at::Tensor& running_mean, const at::Tensor& running_var,
                              double eps) {
  at::Tensor scale = (running_var.to(at::kDouble) + eps).rsqrt();
  if (weight.defined()) scale = weight.to(at::kDouble) * scale;
  at::Tensor shift = -running_mean.to(at::kDouble) * scale;
  if (bias.defined()) shift = bias.to(at::kDouble) + shift;
  return {scale.detach().to(at::kFloat), shift.detach().to(at::kFloat)};
}

}  // namespace distributed
