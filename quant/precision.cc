#include "quant/precision.h"

#include <utility>

#include "ATen/ops/dot.h"
#include "ATen/ops/scalar_tensor.h"
#include "ATen/ops/tensor.h"
#include "glog/logging.h"

namespace quant {
namespace {

at::Tensor ExpectedBits(const std::vector<int64_t>& bits, const at::Tensor& probs) {
  if (bits.size() == 1) return at::scalar_tensor(bits[0], at::kDouble);
  return at::dot(probs, at::tensor(bits, probs.options().requires_grad(false)));
}

}  // namespace

Precision Precision::Float() { return Fixed(kFloatBits, kFloatBits); }

Precision Precision::Fixed(int64_t activation_bits, int64_t weight_bits) {
  return {.activation_bits = {activation_bits}, .weight_bits = {weight_bits}};
}

Precision Precision::Mixed(std::vector<int64_t> bits, at::Tensor activation_probs,
                           at::Tensor weight_probs) {
  CHECK_EQ(activation_probs.numel(), static_cast<int64_t>(bits.size()));
  CHECK_EQ(weight_probs.numel(), static_cast<int64_t>(bits.size()));
  return {.activation_bits = bits,
          .weight_bits = std::move(bits),
          .activation_probs = std::move(activation_probs),
          .weight_probs = std::move(weight_probs)};
}

at::Tensor Precision::ExpectedActivationBits() const {
  return ExpectedBits(activation_bits, activation_probs);
}

at::Tensor Precision::ExpectedWeightBits() const { return ExpectedBits(weight_bits, weight_probs); }

}  // namespace quant
