#include "tools/flags/target_flags.h"

#include <cmath>

#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "nas/derived/derived_layout.h"
#include "quant/names.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_values.h"

DEFINE_string(
    cost_model, "exact",
    "Complexity and budget by true multiply-accumulates (exact), or as the published code counts "
    "them, in millions and with groups ignored (published).");
FLAG_CHOICES(cost_model, {"exact", "published"});
DEFINE_double(
    target_bitops, 0,
    "Steers the complexity's weight so that the convolutions searched have so many BitOps "
    "in the network derived; 0: the weight stays as it is.");
FLAG_RANGE(target_bitops, tools::AtLeast(0));
DEFINE_double(target_compression, 0,
              "The same budget as how many times fewer BitOps than at 32/32 bits.");
FLAG_RANGE(target_compression, tools::AtLeast(0));

namespace tools {

absl::StatusOr<nas::CostTarget> CostTargetFromFlags(double complexity_decay) {
  nas::CostTarget target = {.bit_ops = FLAGS_target_bitops,
                            .compression = FLAGS_target_compression};
  ASSIGN_OR_RETURN(target.model,
                   ValueOfFlag("cost_model", quant::ParseCostModel(FLAGS_cost_model)));
  RETURN_IF_ERROR(target.Check());
  if (target.is_set() && complexity_decay <= 0) {
    return absl::InvalidArgumentError("--complexity_decay: must be positive with a budget");
  }
  return target;
}

absl::Status ReportBudget(const nas::CostTarget& target, const nas::Architecture& found) {
  constexpr double kTolerance = 0.1;
  if (!target.is_set()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::LayoutOf(found));
  const double excess = target.Excess(layout, found.bits);
  if (std::abs(excess - 1) <= kTolerance) {
    LOG(INFO) << "the network found costs " << excess << " times its budget";
  } else {
    LOG(WARNING) << "the network found costs " << excess
                 << " times its budget, and no choice of its bits comes nearer";
  }
  return absl::OkStatus();
}

}  // namespace tools
