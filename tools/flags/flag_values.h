// Reading the values of flags, with errors that name the flag.
#ifndef TOOLS_FLAGS_FLAG_VALUES_H_
#define TOOLS_FLAGS_FLAG_VALUES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tools {

// `status` with "--flag: " before its message.
inline absl::Status AboutFlag(absl::string_view flag, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("--", flag, ": ", status.message()));
}

// The value, or its error as AboutFlag.
template <typename T>
absl::StatusOr<T> ValueOfFlag(absl::string_view flag, absl::StatusOr<T> value) {
  if (!value.ok()) return AboutFlag(flag, value.status());
  return value;
}

// "2,4,8" as numbers. InvalidArgument naming the flag and the part that is not one.
absl::StatusOr<std::vector<int64_t>> IntegersOfFlag(absl::string_view flag, absl::string_view text);

// "0.4,0.2" as `count` numbers. InvalidArgument naming the flag and what is wrong.
absl::StatusOr<std::vector<double>> NumbersOfFlag(absl::string_view flag, absl::string_view text,
                                                  int count);

// `value` of a flag of gflags' `type`, in as few digits as name the number: 0.0006, 3e-05.
std::string ShownValue(const std::string& type, const std::string& value);

}  // namespace tools

#endif  // TOOLS_FLAGS_FLAG_VALUES_H_
