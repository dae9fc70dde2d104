// The flags of a budget for the network that a search derives.
#ifndef TOOLS_TARGET_FLAGS_H_
#define TOOLS_TARGET_FLAGS_H_

#include "absl/status/statusor.h"
#include "nas/cost_target.h"

namespace tools {

// --target_bitops, --target_compression and --cost_model. InvalidArgument naming the flag.
absl::StatusOr<nas::CostTarget> CostTargetFromFlags();

}  // namespace tools

#endif  // TOOLS_TARGET_FLAGS_H_
