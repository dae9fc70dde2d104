// What numbers a flag takes. Every numeric flag says so beside its definition, and RunTool holds
// every value against it, wherever it comes from:
//
//   DEFINE_double(momentum, 0.9, "Momentum of SGD.");
//   FLAG_RANGE(momentum, tools::FromBelow(0, 1));
#ifndef TOOLS_FLAGS_FLAG_RANGES_H_
#define TOOLS_FLAGS_FLAG_RANGES_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "gflags/gflags.h"

namespace tools {

// Never NaN, nor infinite where there is no bound.
struct Range {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;  // Without min itself.
  bool below_max = false;  // Without max itself.

  bool Contains(double value) const;
  // "from 1 to 100", "0 or more", "above 0", "from 0 to below 1"
  std::string ToString() const;
};

constexpr Range FromTo(double min, double max) { return {.min = min, .max = max}; }
constexpr Range FromBelow(double min, double max) {
  return {.min = min, .max = max, .below_max = true};
}
constexpr Range AboveTo(double min, double max) {
  return {.min = min, .max = max, .above_min = true};
}
constexpr Range AtLeast(double min) { return {.min = min}; }
constexpr Range Above(double min) { return {.min = min, .above_min = true}; }

// Whole numbers of anything that is counted: far more than makes sense, and no sum overflows.
constexpr double kMany = 1'000'000'000;

class RangeDeclaration {
 public:
  RangeDeclaration(const char* flag, const int32_t*, Range range) { Declare(flag, range); }
  RangeDeclaration(const char* flag, const int64_t*, Range range) { Declare(flag, range); }
  RangeDeclaration(const char* flag, const uint64_t*, Range range) { Declare(flag, range); }
  RangeDeclaration(const char* flag, const double*, Range range) { Declare(flag, range); }

 private:
  static void Declare(const char* flag, Range range);
};

#define FLAG_RANGE(flag, ...) \
  static const ::tools::RangeDeclaration range_of_##flag(#flag, &FLAGS_##flag, __VA_ARGS__)

// "a whole number from 1 to 100", "a number above 0", "true or false", "one of cpu, cuda", "text".
std::string DescribeValues(const gflags::CommandLineFlagInfo& flag);

// InvalidArgument naming the first flag of ours out of its range or choices (flag_choices.h). A
// numeric one without a range is the programmer's error.
absl::Status CheckValues();

}  // namespace tools

#endif  // TOOLS_FLAGS_FLAG_RANGES_H_
