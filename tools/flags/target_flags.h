// The flags of a budget for the network that a search derives.
#ifndef TOOLS_FLAGS_TARGET_FLAGS_H_
#define TOOLS_FLAGS_TARGET_FLAGS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nas/budget/cost_target.h"
#include "nas/derived/architecture.h"

namespace tools {

// --target_bitops, --target_compression and --cost_model. A budget needs a positive
// `complexity_decay`, the tool's --complexity_decay, to steer from. InvalidArgument naming the
// flag.
absl::StatusOr<nas::CostTarget> CostTargetFromFlags(double complexity_decay);

// Logs in one line, if there is a budget, how many times over it `found` is; a warning if that is
// more than a tenth off it: out of reach for its genotype, whatever the bits.
absl::Status ReportBudget(const nas::CostTarget& target, const nas::Architecture& found);

}  // namespace tools

#endif  // TOOLS_FLAGS_TARGET_FLAGS_H_
