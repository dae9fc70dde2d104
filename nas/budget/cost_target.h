// A budget for a derived network.
#ifndef NAS_BUDGET_COST_TARGET_H_
#define NAS_BUDGET_COST_TARGET_H_

#include <vector>

#include "absl/status/status.h"
#include "nas/derived/derived_layout.h"
#include "nlohmann/json_fwd.hpp"
#include "quant/bit_cost.h"

namespace nas {

// For the convolutions whose bits are chosen, without those of the auxiliary head. At most one of
// the two; both 0: no budget.
struct CostTarget {
  double bit_ops = 0;      // kPublished: in millions.
  double compression = 0;  // How many times fewer BitOps than the same network has at 32/32 bits.
  quant::CostModel model = quant::CostModel::kExact;

  bool is_set() const { return bit_ops > 0 || compression > 0; }

  // InvalidArgument, naming the field, its value and the allowed ones.
  absl::Status Check() const;

  // The BitOps allowed, as `model` counts them: for kPublished in millions. There is a budget.
  double Budget(const DerivedLayout& layout) const;

  // How many times over the budget a network is; 1 is on it. `bits` are those of `layout.convs`.
  // There is a budget.
  double Excess(const DerivedLayout& layout, const std::vector<ConvBits>& bits) const;
};

nlohmann::json ToJson(const CostTarget& target);

}  // namespace nas

#endif  // NAS_BUDGET_COST_TARGET_H_
