// --bits: what a search of bits chooses among.
#ifndef TOOLS_FLAGS_BITS_FLAGS_H_
#define TOOLS_FLAGS_BITS_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tools {

// Different supported bits, at least one. InvalidArgument naming the flag and what is wrong.
absl::StatusOr<std::vector<int64_t>> SearchedBitsFromFlags();

// The same of another flag's value.
absl::StatusOr<std::vector<int64_t>> SearchedBitsOfFlag(const std::string& flag,
                                                        const std::string& value);

}  // namespace tools

#endif  // TOOLS_FLAGS_BITS_FLAGS_H_
