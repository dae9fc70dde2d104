#include "nas/supernet/mix_node_kernels.h"

#include <algorithm>

#include "base/fixed_lanes.h"
#include "base/multiversion.h"

namespace nas {
namespace {

// So few elements of the sum stay in the first-level cache while every term is added to them, and
// so few products are summed in float.
constexpr int64_t kBlock = 512;

template <typename T>
MULTIVERSION_INLINE void WeightedSumOf(const T* const* terms, const T* weights, int64_t count,
                                       int64_t begin, int64_t size, T* sum) {
  for (int64_t first = 0; first < size; first += kBlock) {
    const int64_t block = std::min(kBlock, size - first);
    T* y = sum + first;
    for (int64_t i = 0; i < count; ++i) {
      const T* x = terms[i] + begin + first;
      const T weight = weights[i];
      if (i == 0) {
        for (int64_t j = 0; j < block; ++j) y[j] = x[j] * weight;
      } else {
        for (int64_t j = 0; j < block; ++j) y[j] += x[j] * weight;
      }
    }
  }
}

template <typename T>
MULTIVERSION_INLINE double DotOf(const T* a, const T* b, int64_t size) {
  double sum = 0;
  for (int64_t first = 0; first < size; first += kBlock) {
    sum += base::DotInLanes(a + first, b + first, std::min(kBlock, size - first));
  }
  return sum;
}

}  // namespace

MULTIVERSION(void, WeightedSumRun,
             (const float* const* terms, const float* weights, int64_t count, int64_t begin,
              int64_t size, float* sum),
             (terms, weights, count, begin, size, sum), WeightedSumOf)
MULTIVERSION(void, WeightedSumRun,
             (const double* const* terms, const double* weights, int64_t count, int64_t begin,
              int64_t size, double* sum),
             (terms, weights, count, begin, size, sum), WeightedSumOf)
MULTIVERSION(double, DotRun, (const float* a, const float* b, int64_t size), (a, b, size), DotOf)
MULTIVERSION(double, DotRun, (const double* a, const double* b, int64_t size), (a, b, size), DotOf)

}  // namespace nas
