// Loops plain enough for the compiler to vectorize.

#include "quant/quantizers_cpu_kernels.h"

#include <algorithm>

#include "base/fixed_lanes.h"
#include "base/multiversion.h"

namespace quant {
namespace {

template <typename T>
MULTIVERSION_INLINE void QuantizeBlock(const Lattice<T>& lattice, const T* x, int64_t size,
                                       T* levels) {
  if (lattice.step == 0) {
    std::copy_n(x, size, levels);
    return;
  }
  const Lattice<T> l = lattice;
  for (int64_t j = 0; j < size; ++j) levels[j] = Quantize(l, x[j]);
}

template <typename T>
MULTIVERSION_INLINE void MixBlockOf(const Candidates<T>& candidates, const T* x, int64_t size,
                                    T* y) {
  T levels[kBlock];
  for (int64_t i = 0; i < candidates.count; ++i) {
    QuantizeBlock(candidates.lattices[i * candidates.stride], x, size, levels);
    const T p = candidates.probs[i];
    if (i == 0) {
      for (int64_t j = 0; j < size; ++j) y[j] = levels[j] * p;
    } else {
      for (int64_t j = 0; j < size; ++j) y[j] += levels[j] * p;
    }
  }
}

template <typename T>
MULTIVERSION_INLINE void MixBlockBackwardOf(const Candidates<T>& candidates, const T* grad,
                                            const T* x, int64_t size, T* grad_x,
                                            double* grad_probs) {
  T slope[kBlock];
  T levels[kBlock];
  std::fill_n(slope, size, T(0));
  for (int64_t i = 0; i < candidates.count; ++i) {
    const Lattice<T> lattice = candidates.lattices[i * candidates.stride];
    const T p = candidates.probs[i];
    for (int64_t j = 0; j < size; ++j) slope[j] += PassesGradient(lattice, x[j]) ? p : T(0);
    if (grad_probs == nullptr) continue;
    QuantizeBlock(lattice, x, size, levels);
    grad_probs[i] += base::DotInLanes(grad, levels, size);
  }
  for (int64_t j = 0; j < size; ++j) grad_x[j] = grad[j] * slope[j];
}

template <typename T>
MULTIVERSION_INLINE Range<T> RangeOfRun(const T* x, int64_t size) {
  using base::kLanes;
  T low[kLanes], high[kLanes];
  std::fill_n(low, kLanes, std::numeric_limits<T>::infinity());
  std::fill_n(high, kLanes, -std::numeric_limits<T>::infinity());
  int64_t j = 0;
  for (; j + kLanes <= size; j += kLanes) {
    for (int l = 0; l < kLanes; ++l) low[l] = std::min(low[l], x[j + l]);
    for (int l = 0; l < kLanes; ++l) high[l] = std::max(high[l], x[j + l]);
  }
  Range<T> range;
  for (int l = 0; l < kLanes; ++l) range.Include({low[l], high[l]});
  for (; j < size; ++j) range.Include({x[j], x[j]});
  return range;
}

template <typename T>
MULTIVERSION_INLINE double SumOfRun(const T* x, int64_t size) {
  return base::SumInLanes(x, size);
}

}  // namespace

#define QUANTIZER_KERNELS(T)                                                                      \
  MULTIVERSION(void, MixBlock, (const Candidates<T>& candidates, const T* x, int64_t size, T* y), \
               (candidates, x, size, y), MixBlockOf)                                              \
  MULTIVERSION(void, MixBlockBackward,                                                            \
               (const Candidates<T>& candidates, const T* grad, const T* x, int64_t size,         \
                T* grad_x, double* grad_probs),                                                   \
               (candidates, grad, x, size, grad_x, grad_probs), MixBlockBackwardOf)               \
  MULTIVERSION(Range<T>, RangeOf, (const T* x, int64_t size), (x, size), RangeOfRun)              \
  MULTIVERSION(double, Sum, (const T* x, int64_t size), (x, size), SumOfRun)                      \
                                                                                                  \
  double SquaredDeviations(const T* x, int64_t size, double mean) {                               \
    double sum = 0;                                                                               \
    for (int64_t j = 0; j < size; ++j) sum += (x[j] - mean) * (x[j] - mean);                      \
    return sum;                                                                                   \
  }

QUANTIZER_KERNELS(float)
QUANTIZER_KERNELS(double)

}  // namespace quant
