#include "nas/budget/cost_target.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "nas/derived/cost_report.h"
#include "nlohmann/json.hpp"
#include "quant/names.h"

namespace nas {

absl::Status CostTarget::Check() const {
  if (bit_ops < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("target_bitops is ", bit_ops, ", allowed are 0 (no budget) or more"));
  }
  if (compression < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("target_compression is ", compression, ", allowed are 0 (no budget) or more"));
  }
  if (bit_ops > 0 && compression > 0) {
    return absl::InvalidArgumentError(
        "target_bitops and target_compression are both given, allowed is one budget");
  }
  return absl::OkStatus();
}

double CostTarget::Excess(const DerivedLayout& layout, const std::vector<ConvBits>& bits) const {
  CHECK(is_set());
  const CostReport report = MakeCostReport(layout, bits);
  const PartCost& cost =
      model == quant::CostModel::kExact ? report.exact_cells : report.published_cells;
  if (bit_ops > 0) return cost.cost.bit_ops / bit_ops;
  return compression / cost.Compression().bit_ops;
}

nlohmann::json ToJson(const CostTarget& target) {
  return {{"bit_ops", target.bit_ops},
          {"compression", target.compression},
          {"model", std::string(quant::CostModelName(target.model))}};
}

}  // namespace nas
