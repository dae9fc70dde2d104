// Sums in a fixed number of lanes, whatever the width of the machine's registers, so that every
// instruction set (multiversion.h) adds in the same order.
#ifndef BASE_FIXED_LANES_H_
#define BASE_FIXED_LANES_H_

#include <cstdint>

#include "base/multiversion.h"

namespace base {

inline constexpr int kLanes = 16;

// Σ x[j], in float64.
template <typename T>
MULTIVERSION_INLINE double SumInLanes(const T* x, int64_t size) {
  double lanes[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= size; j += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += x[j + l];
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (; j < size; ++j) sum += x[j];
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
