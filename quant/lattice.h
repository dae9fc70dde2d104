// The one formula behind every quantizer here, and the constants that make it each of them:
//
//   Q(x) = clamp((round(x / step + offset) − offset)·step, low, high),   round half to even.
//
// HWGQ and Gaussian steps are those of half-wave Gaussian quantization (Cai et al., CVPR 2017) as
// rescaled in FBQAT/models/quant_module.py; the 8-bit ones follow _quant_per_channel in
// QDARTS/model.py, and those of 5, 6 and 7 bits are the same with 2^b − 1 in place of 255.
// Constants are computed as Python computes them there: HWGQ's and Gaussian's in float64 and then
// rounded to T, those of a range in T. Shared by host and device code, hence constexpr.
#ifndef QUANT_LATTICE_H_
#define QUANT_LATTICE_H_

#include <cstdint>
#include <limits>

namespace quant {

// What is quantized. In low bits, activations have HWGQ lattices and weights Gaussian ones.
enum class Role : int64_t { kActivation, kWeight };

// Quantizers of 8 bits, and of 5, 6 and 7; the gradient of each is 1 everywhere, straight through.
enum class EightBit : int64_t {
  // That of the published derived networks (QDARTS/model.py): a scale per index of dimension 1 (for
  // weights: per input channel), 1e-10 added to it. Its signed form cannot represent 0.
  kPublished,
  // That of the published search (QDARTS/model_search.py): the same without the 1e-10. There a
  // constant channel divides 0 by 0; here a scale is at least 1e-10.
  kPublishedSearch,
  // One scale per activation tensor and one per output channel of a weight; 0 is a level, so it
  // runs on integers: y = scale·q, of 8 bits q in [-127, 127], or [0, 255] for activations without
  // negatives.
  kSymmetric,
};
inline constexpr EightBit kEightBits[] = {EightBit::kPublished, EightBit::kPublishedSearch,
                                          EightBit::kSymmetric};

// The dimension of x along which 8-bit lattices differ. Unused where there is one for all.
constexpr int64_t LatticeDim(Role role, EightBit eight_bit) {
  return role == Role::kWeight && eight_bit == EightBit::kSymmetric ? 0 : 1;
}

template <typename T>
struct Lattice {
  T step = 0;  // 0: not quantized, as 32 bits or weights of standard deviation 0
  T offset = 0;
  T low = 0;
  T high = 0;
  // The gradient is 1 for x in [pass_low, pass_high] and 0 elsewhere.
  T pass_low = -std::numeric_limits<T>::infinity();
  T pass_high = std::numeric_limits<T>::infinity();
};

// What a lattice depends on beside the bits. Ranges are those of the lattice's channel.
template <typename T>
struct Statistics {
  double std = 0;  // unbiased, of the whole weight tensor
  T min = 0;
  T max = 0;
  T tensor_min = 0;  // of the whole tensor
};

// NaN stays NaN.
template <typename T>
constexpr T Clamp(T value, T low, T high) {
  const T raised = value < low ? low : value;
  return raised > high ? high : raised;
}

// Half to even, for |value| ≤ 2^(digits − 2): 1.5·2^(digits − 1) added leaves no bits below the
// point.
template <typename T>
constexpr T RoundHalfToEven(T value) {
  constexpr T kShift = static_cast<T>(int64_t{3} << (std::numeric_limits<T>::digits - 2));
  return (value + kShift) - kShift;
}

// Q(x), for a lattice with a step.
template <typename T>
constexpr T Quantize(const Lattice<T>& lattice, T x) {
  constexpr T kBeyondAnyLevel = 1024;
  const T level = Clamp(x / lattice.step + lattice.offset, -kBeyondAnyLevel, kBeyondAnyLevel);
  return Clamp((RoundHalfToEven(level) - lattice.offset) * lattice.step, lattice.low, lattice.high);
}

template <typename T>
constexpr bool PassesGradient(const Lattice<T>& lattice, T x) {
  return x >= lattice.pass_low && x <= lattice.pass_high;
}

// y = s·round(clamp(x, 0, s·(2^b − 1)) / s); the gradient is the clamp's.
template <typename T>
constexpr Lattice<T> HwgqLattice(int64_t bits, double step) {
  const double levels = (1 << bits) - 1;
  const T rounded_step = static_cast<T>(step);
  return {.step = rounded_step,
          .high = static_cast<T>(levels) * rounded_step,
          .pass_low = 0,
          .pass_high = static_cast<T>(step * levels)};
}

// y = clamp((round(w/s + 0.5) − 0.5)·s, ±(2^b/2 − 0.5)·s).
template <typename T>
constexpr Lattice<T> GaussianLattice(int64_t bits, double step) {
  const T bound = static_cast<T>(((1 << bits) / 2 - 0.5) * step);
  return {.step = static_cast<T>(step), .offset = T(0.5), .low = -bound, .high = bound};
}

// A scale by which one can divide, that of a constant channel too.
template <typename T>
constexpr T NonZeroScale(EightBit flavour, T scale) {
  constexpr T kLeast = T(1e-10);
  if (flavour == EightBit::kPublished) return scale + kLeast;
  return scale < kLeast ? kLeast : scale;
}

// Of 5 to 8 bits, for channels with and without negatives.
template <typename T>
constexpr Lattice<T> RangeLattice(int64_t bits, Role role, EightBit flavour,
                                  const Statistics<T>& statistics) {
  const T steps = static_cast<T>((1 << bits) - 1);       // From the lowest level to the highest.
  const T half = static_cast<T>((1 << (bits - 1)) - 1);  // On either side of 0.
  const T low_magnitude = statistics.min < 0 ? -statistics.min : statistics.min;
  const T high_magnitude = statistics.max < 0 ? -statistics.max : statistics.max;
  const T magnitude = low_magnitude > high_magnitude ? low_magnitude : high_magnitude;
  const bool activation = role == Role::kActivation;
  if (flavour != EightBit::kSymmetric) {
    if (activation && statistics.tensor_min >= T(-0.05)) {
      const T scale = NonZeroScale(flavour, (statistics.max - statistics.min) / steps);
      return {.step = scale, .high = steps * scale};
    }
    const T scale = NonZeroScale(flavour, 2 * magnitude / steps);
    return {.step = scale, .offset = T(0.5), .low = -half * scale, .high = half * scale};
  }
  if (activation && statistics.tensor_min >= 0) {
    const T scale = NonZeroScale(flavour, statistics.max / steps);
    return {.step = scale, .high = steps * scale};
  }
  const T scale = NonZeroScale(flavour, magnitude / half);
  return {.step = scale, .low = -half * scale, .high = half * scale};
}

constexpr bool IsSupportedBits(int64_t bits) { return (bits >= 1 && bits <= 8) || bits == 32; }
inline constexpr char kSupportedBits[] = "1 to 8 or 32";

// Whether lattices of so many bits follow from the range of what is quantized.
constexpr bool HasRangeLattice(int64_t bits) { return bits >= 5 && bits <= 8; }

// The lattice of the quantizer of `bits` bits, which IsSupportedBits.
template <typename T>
constexpr Lattice<T> MakeLattice(int64_t bits, Role role, EightBit flavour,
                                 const Statistics<T>& statistics) {
  constexpr double kHwgqSteps[] = {0.799, 0.538, 0.3217, 0.185};
  constexpr double kGaussianSteps[] = {1.596, 0.996, 0.586, 0.336};
  if (bits == 32) return {};
  if (HasRangeLattice(bits)) return RangeLattice(bits, role, flavour, statistics);
  if (role == Role::kActivation) return HwgqLattice<T>(bits, kHwgqSteps[bits - 1]);
  return GaussianLattice<T>(bits, kGaussianSteps[bits - 1] * statistics.std);
}

}  // namespace quant

#endif  // QUANT_LATTICE_H_
