#include "tools/flags/flag_ranges.h"

#include <cmath>
#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "glog/logging.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/flag_values.h"

namespace tools {
namespace {

std::map<std::string, Range>& Ranges() {
  static auto* ranges = new std::map<std::string, Range>;
  return *ranges;
}

bool IsWhole(const gflags::CommandLineFlagInfo& flag) {
  return flag.type == "int32" || flag.type == "int64" || flag.type == "uint32" ||
         flag.type == "uint64";
}

bool IsNumeric(const gflags::CommandLineFlagInfo& flag) {
  return IsWhole(flag) || flag.type == "double";
}

std::string Number(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? absl::StrFormat("%.0f", value)
                                                              : absl::StrCat(value);
}

const Range& RangeOf(const gflags::CommandLineFlagInfo& flag) {
  const auto range = Ranges().find(flag.name);
  CHECK(range != Ranges().end()) << "--" << flag.name << " has no FLAG_RANGE in " << flag.filename;
  return range->second;
}

}  // namespace

bool Range::Contains(double value) const {
  if (!std::isfinite(value)) return false;
  return (above_min ? value > min : value >= min) && (below_max ? value < max : value <= max);
}

std::string Range::ToString() const {
  if (std::isinf(max)) {
    return above_min ? absl::StrCat("above ", Number(min)) : absl::StrCat(Number(min), " or more");
  }
  return absl::StrCat(above_min ? "above " : "from ", Number(min),
                      below_max ? " to below " : " to ", Number(max));
}

void RangeDeclaration::Declare(const char* flag, Range range) {
  CHECK(Ranges().emplace(flag, range).second) << "--" << flag << " has two ranges";
}

std::string DescribeValues(const gflags::CommandLineFlagInfo& flag) {
  if (flag.type == "bool") return "true or false";
  if (!IsNumeric(flag)) {
    const std::vector<std::string>& choices = ChoicesOf(flag.name);
    return choices.empty() ? "text" : "one of " + absl::StrJoin(choices, ", ");
  }
  return absl::StrCat(IsWhole(flag) ? "a whole number " : "a number ", RangeOf(flag).ToString());
}

absl::Status CheckValues() {
  for (const gflags::CommandLineFlagInfo& flag : OurFlags()) {
    if (!IsNumeric(flag)) {
      RETURN_IF_ERROR(CheckChoice(flag));
      continue;
    }
    double value;
    CHECK(absl::SimpleAtod(flag.current_value, &value)) << flag.name << "=" << flag.current_value;
    if (!RangeOf(flag).Contains(value)) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag.name, "=",
                                                     ShownValue(flag.type, flag.current_value),
                                                     ": must be ", DescribeValues(flag)));
    }
  }
  return absl::OkStatus();
}

}  // namespace tools
