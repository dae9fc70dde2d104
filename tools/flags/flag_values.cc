#include "tools/flags/flag_values.h"

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

}  // namespace tools
