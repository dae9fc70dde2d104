// What the operations of a packed network compute, to the bit. Kernels and compilers may go about
// it as they like, as long as the result is this:
//
//   level of x      clamp(round(x / step), low, high), round half to even; the division in float32
//   convolution     S = Σ weight · input, of integers exactly, else in float64 in the order kernel
//                   row, kernel column, input channel; then t = float32(S · (step · unit)), the
//                   products in float64, where step is 1 for an input that is not quantized
//   normalization   float32(t · scale + shift), in float64, where that product is exact
//   average pool    a float32 sum in the order of rows and columns, divided by the number of
//   pixels,
//                   or of taps where the border counts, too
//   global mean     a float64 sum in the order of pixels, divided by their number; float32
//   linear          a float64 sum in the order of channels, plus the bias; float32
//
// Products of two float32 are exact in float64, so it does not matter whether a processor fuses
// multiplication and addition.
#ifndef QUANT_RUNTIME_ARITHMETIC_H_
#define QUANT_RUNTIME_ARITHMETIC_H_

#include <cstdint>

#include "quant/runtime/packed_network.h"

namespace quant::runtime {

// Adding and subtracting it rounds a float32 of magnitude below 2^22 half to even.
inline constexpr float kRoundingShift = 12582912;  // 1.5·2^23

// NaN, of which a float network would make more, becomes the lowest level.
inline int32_t LevelOf(float x, const ActivationLattice& lattice) {
  const float low = static_cast<float>(lattice.low), high = static_cast<float>(lattice.high);
  float level = x / lattice.step;
  level = level >= low ? level : low;
  level = level <= high ? level : high;
  return static_cast<int32_t>((level + kRoundingShift) - kRoundingShift);
}

inline float Scaled(double sum, double step_times_unit) {
  return static_cast<float>(sum * step_times_unit);
}

inline float Normalized(float t, float scale, float shift) {
  return static_cast<float>(static_cast<double>(t) * scale + shift);
}

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_ARITHMETIC_H_
