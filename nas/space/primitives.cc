#include "nas/space/primitives.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace nas {
namespace {

constexpr std::array<absl::string_view, 10> kNames = {
    "none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
    "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7"};

}  // namespace

absl::string_view PrimitiveName(Primitive primitive) {
  return kNames[static_cast<size_t>(primitive)];
}

absl::StatusOr<Primitive> ParsePrimitive(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Primitive>(i);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown primitive \"", name, "\"; known are ", absl::StrJoin(kNames, ", ")));
}

}  // namespace nas
