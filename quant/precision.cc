#include "quant/precision.h"

#include <utility>

#include "glog/logging.h"

namespace quant {

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

}  // namespace quant
