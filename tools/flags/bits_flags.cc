#include "tools/flags/bits_flags.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "quant/lattice.h"
#include "tools/flags/flag_values.h"

DEFINE_string(bits, "2,4",
              "The bits searched among, of 1 to 8; 32: not quantized. With --gammas: those "
              "that were searched among.");

namespace tools {

absl::StatusOr<std::vector<int64_t>> SearchedBitsFromFlags() {
  return SearchedBitsOfFlag("bits", FLAGS_bits);
}

absl::StatusOr<std::vector<int64_t>> SearchedBitsOfFlag(const std::string& flag,
                                                        const std::string& value) {
  ASSIGN_OR_RETURN(std::vector<int64_t> bits, IntegersOfFlag(flag, value));
  std::set<int64_t> seen;
  for (const int64_t b : bits) {
    if (!quant::IsSupportedBits(b)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, "=", value, ": ", b, " is not ", quant::kSupportedBits));
    }
    if (!seen.insert(b).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, "=", value, ": has ", b, " twice"));
    }
  }
  return bits;
}

}  // namespace tools
