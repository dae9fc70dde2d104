// Quantizers of activations and weights with straight-through gradients, and their mixtures:
//
//   y = Σ_i p_i·Q_{b_i}(x)
//
// as ONE operator for all candidates: it reads x once and writes y once, keeps nothing but x for
// the backward, and gives gradients to x and to the probabilities p. Bits are any list from {1 to
// 8, 32}; 32 is the identity. Tensors are float32 or float64, on the CPU or on a CUDA device
// (there, built with --config=cuda).
//
//   at::Tensor p = at::softmax(gamma, 0);
//   at::Tensor y = MixedActivation(x, {2, 4, 8}, p);
//
// The formulas are in quant/lattice.h. 1 to 4 bits are HWGQ for activations (gradient 1 inside the
// clamp, boundaries included) and Gaussian for weights (gradient 1), whose standard deviation is a
// constant for the gradient; so are the ranges of the quantizers of 5 to 8 bits (gradient 1).
//
// They are also LibTorch operators, nqdarts::lattice and nqdarts::mixed_quantize.
#ifndef QUANT_QUANTIZERS_H_
#define QUANT_QUANTIZERS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "quant/lattice.h"

namespace quant {

// x: [N, C, ...] if 8 bits are asked for, else any shape; probs: [bits.size()], ignored (and may be
// undefined) for one candidate. The result has x's shape and dtype, contiguous. The ranges of 8
// bits are those of `range_of` ([M, C, ...]) if it is defined, else of x.
at::Tensor MixedActivation(const at::Tensor& x, at::IntArrayRef bits, const at::Tensor& probs,
                           EightBit eight_bit = EightBit::kPublished,
                           const at::Tensor& range_of = {});

// Whether a mixture of activations depends on their range.
bool NeedsRange(at::IntArrayRef bits);

// weight: [out, in / groups, ...]; otherwise as above.
at::Tensor MixedWeight(const at::Tensor& weight, at::IntArrayRef bits, const at::Tensor& probs,
                       EightBit eight_bit = EightBit::kPublished);

inline at::Tensor QuantizeActivation(const at::Tensor& x, int64_t bits,
                                     EightBit eight_bit = EightBit::kPublished) {
  return MixedActivation(x, bits, at::Tensor(), eight_bit);
}

inline at::Tensor QuantizeWeight(const at::Tensor& weight, int64_t bits,
                                 EightBit eight_bit = EightBit::kPublished) {
  return MixedWeight(weight, bits, at::Tensor(), eight_bit);
}

// The lattices a mixture uses, one per candidate and channel: [bits.size(), channels, 6] of x's
// dtype, the last dimension laid out as struct Lattice. channels is 1 where all share one lattice;
// otherwise it is the size of dimension LatticeDim(role, eight_bit).
at::Tensor MakeLattices(const at::Tensor& x, at::IntArrayRef bits, Role role, EightBit eight_bit);

// The operator itself, on any lattices: Σ_i probs[i]·Q_i(x).
at::Tensor MixedQuantize(const at::Tensor& x, const at::Tensor& probs, const at::Tensor& lattices,
                         int64_t lattice_dim);

}  // namespace quant

#endif  // QUANT_QUANTIZERS_H_
