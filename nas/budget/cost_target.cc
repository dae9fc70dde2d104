#include "nas/budget/cost_target.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "nas/derived/cost_report.h"
#include "nlohmann/json.hpp"
#include "quant/names.h"

namespace nas {
namespace {

PartCost CostOfCells(const DerivedLayout& layout, const std::vector<ConvBits>& bits,
                     quant::CostModel model) {
  const CostReport report = MakeCostReport(layout, bits);
  return model == quant::CostModel::kExact ? report.exact_cells : report.published_cells;
}

// Of cells that cost so much, at whatever bits.
double Allowed(const CostTarget& target, const PartCost& cost) {
  CHECK(target.is_set());
  return target.bit_ops > 0 ? target.bit_ops : cost.at_32_bits.bit_ops / target.compression;
}

}  // namespace

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

double CostTarget::Budget(const DerivedLayout& layout) const {
  return Allowed(*this, CostOfCells(layout, std::vector<ConvBits>(layout.convs.size()), model));
}

double CostTarget::Excess(const DerivedLayout& layout, const std::vector<ConvBits>& bits) const {
  const PartCost cost = CostOfCells(layout, bits, model);
  return cost.cost.bit_ops / Allowed(*this, cost);
}

nlohmann::json ToJson(const CostTarget& target) {
  return {{"bit_ops", target.bit_ops},
          {"compression", target.compression},
          {"model", std::string(quant::CostModelName(target.model))}};
}

}  // namespace nas
