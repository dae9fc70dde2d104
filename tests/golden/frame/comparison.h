// Compares computed values with golden ones, and remembers how close the worst came to its
// tolerance.
//
//   comparison.Near("out", out, file.Tensor("out64/out"), Tolerance(noise, 1e-6));
#ifndef TESTS_GOLDEN_FRAME_COMPARISON_H_
#define TESTS_GOLDEN_FRAME_COMPARISON_H_

#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/strings/str_cat.h"

namespace golden {

// A wrong formula must not pass: what needs a wider tolerance than this is not compared, but
// counted as undecided.
inline constexpr double kWidestTolerance = 1e-2;

// The floor of a tolerance where golden values are stored in float32.
inline constexpr double kStored = 1e-6;

// Ten times the noise that the manifest measured for a quantity, and at least `floor`.
double Tolerance(double noise, double floor);

// For single operators in float32: Tolerance within [1e-6, 1e-5].
double ElementTolerance(double noise);

struct Measurement {
  std::string what;
  double error = 0;
  double tolerance = 0;

  bool ok() const { return error <= tolerance; }  // not for a NaN
};

class Comparison {
 public:
  // The error is max|actual − expected| over max|expected| (or over 1, if that is 0). Where either
  // is not finite, both must be, and alike. Any float types; shapes must agree.
  void Near(const std::string& what, const at::Tensor& actual, const at::Tensor& expected,
            double tolerance);
  void Near(const std::string& what, double actual, double expected, double tolerance);

  // The same with the error ‖actual − expected‖ / ‖expected‖.
  void NearL2(const std::string& what, const at::Tensor& actual, const at::Tensor& expected,
              double tolerance);

  // Equality of integers, strings, sequences.
  template <typename Actual, typename Expected>
  void Equal(const std::string& what, const Actual& actual, const Expected& expected) {
    Add({what, actual == expected ? 0.0 : 1.0, 0.0});
  }

  void Add(Measurement measurement);

  // The one nearest to, or farthest over, its tolerance. Requires count() > 0.
  const Measurement& worst() const { return worst_; }
  const std::vector<Measurement>& failures() const { return failures_; }
  int count() const { return count_; }
  int undecided() const { return undecided_; }

 private:
  Measurement worst_;
  std::vector<Measurement> failures_;
  int count_ = 0;
  int undecided_ = 0;
};

}  // namespace golden

#endif  // TESTS_GOLDEN_FRAME_COMPARISON_H_
