// Sums in a fixed number of lanes, whatever the width of the machine's registers, so that every
// instruction set (multiversion.h) adds in the same order.
#ifndef BASE_FIXED_LANES_H_
#define BASE_FIXED_LANES_H_

#include <cstdint>

#include "base/multiversion.h"

namespace base {

inline constexpr int kLanes = 16;

// Σ (x[j] − shift)^power for power 1 or 2, in float64.
template <int power, typename T>
MULTIVERSION_INLINE double PowerSumInLanes(const T* x, int64_t size, double shift) {
  static_assert(power == 1 || power == 2);
  double lanes[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= size; j += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      const double d = x[j + l] - shift;
      lanes[l] += power == 1 ? d : d * d;
    }
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (; j < size; ++j) {
    const double d = x[j] - shift;
    sum += power == 1 ? d : d * d;
  }
  return sum;
}

// Σ a[j]·b[j]; products and lanes are of type T, so that a float sum should be short.
template <typename T>
MULTIVERSION_INLINE double DotInLanes(const T* a, const T* b, int64_t size) {
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

}  // namespace base

#endif  // BASE_FIXED_LANES_H_
