// The inner loops of the quantizers' CPU kernels: plain pointers to at most kBlock elements of one
// channel, vectorized for the instruction set of the machine. T is float or double. Results are
// the same on all of them.
#ifndef QUANT_QUANTIZERS_CPU_KERNELS_H_
#define QUANT_QUANTIZERS_CPU_KERNELS_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "quant/lattice.h"

namespace quant {

// So few elements stay in the first-level cache while every candidate passes over them.
inline constexpr int64_t kBlock = 512;

// The candidates of one channel: lattice i is lattices[i * stride].
template <typename T>
struct Candidates {
  const T* probs;
  const Lattice<T>* lattices;
  int64_t stride;
  int64_t count;
};

// y[j] = Σ_i probs[i]·Q_i(x[j]).
void MixBlock(const Candidates<float>& candidates, const float* x, int64_t size, float* y);
void MixBlock(const Candidates<double>& candidates, const double* x, int64_t size, double* y);

// grad_x of the block, and its share of the gradient of probs added to grad_probs, unless that is
// null.
void MixBlockBackward(const Candidates<float>& candidates, const float* grad, const float* x,
                      int64_t size, float* grad_x, double* grad_probs);
void MixBlockBackward(const Candidates<double>& candidates, const double* grad, const double* x,
                      int64_t size, double* grad_x, double* grad_probs);

template <typename T>
struct Range {
  T min = std::numeric_limits<T>::infinity();
  T max = -std::numeric_limits<T>::infinity();

  void Include(const Range& other) {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
  }
};

// Of any number of elements; of those that are no NaN.
Range<float> RangeOf(const float* x, int64_t size);
Range<double> RangeOf(const double* x, int64_t size);

// Σ x[j], of any number of elements.
double Sum(const float* x, int64_t size);
double Sum(const double* x, int64_t size);

// Σ (x[j] − mean)², added one by one as LibTorch does: the steps of weights are multiples of this
// sum's root, and values that lie on steps tell its last bit.
double SquaredDeviations(const float* x, int64_t size, double mean);
double SquaredDeviations(const double* x, int64_t size, double mean);

}  // namespace quant

#endif  // QUANT_QUANTIZERS_CPU_KERNELS_H_
