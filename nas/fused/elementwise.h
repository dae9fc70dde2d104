// What kernels on every device do to single values: the activation before a quantizer, and the
// candidates of a mixture of quantizers. T is float or double; plain data, so that nvcc sees none
// of LibTorch.
#ifndef NAS_FUSED_ELEMENTWISE_H_
#define NAS_FUSED_ELEMENTWISE_H_

#include "quant/lattice.h"

namespace nas::fused {

// z = max(0, scale_c x + shift_c), channel by channel: ReLU behind a batch normalization; without
// scale, ReLU; without either, x.
template <typename T>
struct Activation {
  const T* scale = nullptr;
  const T* shift = nullptr;
  bool relu = true;
};

// A candidate of a mixture of quantizers (quant/lattice.h), low and high counted in steps:
//   Q(x) = clamp(round(x / step + offset) - offset, low, high) step.
// x / step is computed as a product with the reciprocal: where that lies within rounding of the
// middle between two levels, the level may be the other one.
template <typename T>
struct Candidate {
  T reciprocal, offset, low, high, step, probability;
  T pass_low, pass_high;  // Where the gradient passes; pass_low is not above 0.
};

// Of a mixture, beside the one of 32 bits.
inline constexpr int kMaxCandidates = 4;

template <typename T>
constexpr Candidate<T> MakeCandidate(const quant::Lattice<T>& lattice, T probability) {
  return {.reciprocal = 1 / lattice.step,
          .offset = lattice.offset,
          .low = quant::RoundHalfToEven(lattice.low / lattice.step),
          .high = quant::RoundHalfToEven(lattice.high / lattice.step),
          .step = lattice.step,
          .probability = probability,
          .pass_low = lattice.pass_low,
          .pass_high = lattice.pass_high};
}

}  // namespace nas::fused

#endif  // NAS_FUSED_ELEMENTWISE_H_
