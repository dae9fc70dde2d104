#include "tools/target_flags.h"

#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "quant/names.h"
#include "tools/flag_values.h"

DEFINE_string(
    cost_model, "exact",
    "Complexity and budget by true multiply-accumulates (exact), or as the published code counts "
    "them, in millions and with groups ignored (published).");
DEFINE_double(
    target_bitops, 0,
    "Steers the complexity's weight so that the convolutions searched have so many BitOps "
    "in the network derived; 0: the weight stays as it is.");
DEFINE_double(target_compression, 0,
              "The same budget as how many times fewer BitOps than at 32/32 bits.");

namespace tools {

absl::StatusOr<nas::CostTarget> CostTargetFromFlags() {
  nas::CostTarget target = {.bit_ops = FLAGS_target_bitops,
                            .compression = FLAGS_target_compression};
  ASSIGN_OR_RETURN(target.model,
                   ValueOfFlag("cost_model", quant::ParseCostModel(FLAGS_cost_model)));
  RETURN_IF_ERROR(target.Check());
  return target;
}

}  // namespace tools
