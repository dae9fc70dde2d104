// The mixtures of many convolutions' weights by one operator, where one operator each would cost
// more than the arithmetic.
#ifndef QUANT_MIXED_WEIGHTS_H_
#define QUANT_MIXED_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "quant/lattice.h"

namespace quant {

// MixedWeight(weights[i], bits, probs[rows[i]], eight_bit) for all i, one after the other: [sum of
// their sizes]. probs: [number of rows, bits.size()], ignored (and may be undefined) for one
// candidate. On the CPU; all of one dtype, float32 or float64. Differentiable once in weights and
// probs.
at::Tensor MixedWeights(at::TensorList weights, const std::vector<int64_t>& rows,
                        at::IntArrayRef bits, const at::Tensor& probs, EightBit eight_bit);

}  // namespace quant

#endif  // QUANT_MIXED_WEIGHTS_H_
