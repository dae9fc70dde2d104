// The mixed quantizers as one would compose them from tensor operations, a branch per candidate:
// the independent reference of the tests and the baseline of the benchmark.
#ifndef QUANT_SEPARATE_BRANCHES_H_
#define QUANT_SEPARATE_BRANCHES_H_

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "quant/lattice.h"

namespace quant {

// As MixedActivation (role kActivation) and MixedWeight (kWeight) of quant/quantizers.h.
at::Tensor MixSeparately(const at::Tensor& x, at::IntArrayRef bits, const at::Tensor& probs,
                         Role role, EightBit eight_bit);

}  // namespace quant

#endif  // QUANT_SEPARATE_BRANCHES_H_
