// What a benchmark reports of several measurements.
#ifndef BASE_MEDIAN_H_
#define BASE_MEDIAN_H_

#include <algorithm>
#include <vector>

namespace base {

// The middle one of `values`, the upper of two; there is one at least.
inline double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace base

#endif  // BASE_MEDIAN_H_
