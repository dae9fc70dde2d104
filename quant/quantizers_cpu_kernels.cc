// Loops plain enough for the compiler to vectorize.

#include "quant/quantizers_cpu_kernels.h"

#include <algorithm>

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
MULTIVERSION_INLINE double DotBlock(const T* a, const T* b, int64_t size) {
  T lanes[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= size; j += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += a[j + l] * b[j + l];
  }
  double sum = 0;
  for (const T lane : lanes) sum += lane;
  for (; j < size; ++j) sum += static_cast<double>(a[j]) * b[j];
  return sum;
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
    grad_probs[i] += DotBlock(grad, levels, size);
  }
  for (int64_t j = 0; j < size; ++j) grad_x[j] = grad[j] * slope[j];
}

template <typename T>
MULTIVERSION_INLINE Range<T> RangeOfRun(const T* x, int64_t size) {
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

}  // namespace

MULTIVERSION void MixBlock(const Candidates<float>& candidates, const float* x, int64_t size,
                           float* y) {
  MixBlockOf(candidates, x, size, y);
}
MULTIVERSION void MixBlock(const Candidates<double>& candidates, const double* x, int64_t size,
                           double* y) {
  MixBlockOf(candidates, x, size, y);
}

MULTIVERSION void MixBlockBackward(const Candidates<float>& candidates, const float* grad,
                                   const float* x, int64_t size, float* grad_x,
                                   double* grad_probs) {
  MixBlockBackwardOf(candidates, grad, x, size, grad_x, grad_probs);
}
MULTIVERSION void MixBlockBackward(const Candidates<double>& candidates, const double* grad,
                                   const double* x, int64_t size, double* grad_x,
                                   double* grad_probs) {
  MixBlockBackwardOf(candidates, grad, x, size, grad_x, grad_probs);
}

MULTIVERSION Range<float> RangeOf(const float* x, int64_t size) { return RangeOfRun(x, size); }
MULTIVERSION Range<double> RangeOf(const double* x, int64_t size) { return RangeOfRun(x, size); }

}  // namespace quant
