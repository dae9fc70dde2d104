// How a convolution sees its activations and weights: candidate bit widths and, while a search has
// not settled on one of them, their probabilities.
//
//   conv->forward(x, Precision::Float());                       // 32 bits: not quantized
//   conv->forward(x, Precision::Fixed(2, 4));                   // 2-bit activations, 4-bit weights
//   conv->forward(x, Precision::Mixed({2, 4, 8}, pa, pw));      // pa = softmax(gamma_activ row)
#ifndef QUANT_PRECISION_H_
#define QUANT_PRECISION_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"

namespace quant {

// The width that stands for "not quantized".
inline constexpr int64_t kFloatBits = 32;

struct Precision {
  std::vector<int64_t> activation_bits;
  std::vector<int64_t> weight_bits;
  // [number of candidates] each; undefined if there is one candidate.
  at::Tensor activation_probs = {};
  at::Tensor weight_probs = {};

  static Precision Float();
  static Precision Fixed(int64_t activation_bits, int64_t weight_bits);
  // The same candidates for both, with their own probabilities.
  static Precision Mixed(std::vector<int64_t> bits, at::Tensor activation_probs,
                         at::Tensor weight_probs);
};

}  // namespace quant

#endif  // QUANT_PRECISION_H_
