#include "tools/flags/flag_values.h"

#include <charconv>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "data/io/printable_name.h"

namespace tools {

absl::StatusOr<std::vector<int64_t>> IntegersOfFlag(absl::string_view flag,
                                                    absl::string_view text) {
  std::vector<int64_t> values;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    int64_t value;
    if (!absl::SimpleAtoi(part, &value)) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", data::PrintableName(text),
                                                     ": '", data::PrintableName(part),
                                                     "' is not a number; expected, say, 2,4,8"));
    }
    values.push_back(value);
  }
  return values;
}

absl::StatusOr<std::vector<double>> NumbersOfFlag(absl::string_view flag, absl::string_view text,
                                                  int count) {
  const auto wrong = [&](auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "=", data::PrintableName(text), ": ", what...));
  };
  std::vector<double> values;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    double value;
    if (!absl::SimpleAtod(part, &value) || !std::isfinite(value)) {
      return wrong("'", data::PrintableName(part), "' is not a number");
    }
    values.push_back(value);
  }
  if (std::ssize(values) != count) return wrong(values.size(), " numbers where ", count, " belong");
  return values;
}

std::string ShownValue(const std::string& type, const std::string& value) {
  double number;
  if (type != "double" || !absl::SimpleAtod(value, &number)) return value;
  // Zeros are written out as far as people do.
  const double size = std::abs(number);
  const bool plain = number == 0 || (size >= 1e-4 && size < 1e6);
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof(digits), number,
                                plain ? std::chars_format::fixed : std::chars_format::scientific)
                      .ptr};
}

}  // namespace tools
