// What the CPU and the CUDA kernels of the quantizers both need to know of their inputs.
#ifndef QUANT_KERNEL_INPUTS_H_
#define QUANT_KERNEL_INPUTS_H_

#include <algorithm>
#include <cstdint>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "c10/util/accumulate.h"
#include "quant/lattice.h"

namespace quant {

// A contiguous tensor as [outer, channels, inner]: element i is in channel (i / inner) % channels.
struct ChannelLayout {
  int64_t channels;
  int64_t inner;
};

// `channels` is 1 (then `dim` does not matter) or x.size(dim).
inline ChannelLayout LayoutOf(const at::Tensor& x, int64_t channels, int64_t dim) {
  if (channels == 1) return {1, x.numel()};
  return {channels, c10::multiply_integers(x.sizes().slice(dim + 1))};
}

// Whether lattices of these bits depend on a range; those of weights, on a standard deviation.
inline bool AnyHasRange(at::IntArrayRef bits) {
  return std::any_of(bits.begin(), bits.end(), HasRangeLattice);
}
inline bool AnyIsGaussian(at::IntArrayRef bits) {
  return std::any_of(bits.begin(), bits.end(), [](int64_t b) { return b < 5; });
}

// The statistics of x that the lattices of a mixture depend on.
struct LatticeNeeds {
  bool std;
  bool range;
  int64_t channels;  // lattices, and ranges, per candidate
};

inline LatticeNeeds NeedsOf(const at::Tensor& x, at::IntArrayRef bits, Role role,
                            EightBit eight_bit) {
  const bool range = AnyHasRange(bits);
  const bool whole_tensor = role == Role::kActivation && eight_bit == EightBit::kSymmetric;
  return {.std = role == Role::kWeight && AnyIsGaussian(bits),
          .range = range,
          .channels = range && !whole_tensor ? x.size(LatticeDim(role, eight_bit)) : 1};
}

// Lattices are stored as tensors: [bits.size(), channels, fields] of x's dtype.
template <typename T>
inline constexpr int64_t kLatticeFields = sizeof(Lattice<T>) / sizeof(T);

}  // namespace quant

#endif  // QUANT_KERNEL_INPUTS_H_
