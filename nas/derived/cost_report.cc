#include "nas/derived/cost_report.h"

#include <cstddef>

#include "glog/logging.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using Json = nlohmann::ordered_json;
using quant::ConvCost;
using quant::ConvShape;
using quant::CostModel;

constexpr ConvBits kFloat;

struct Units {
  const char* bit_ops;
  const char* activation_memory;
  const char* weight_memory;
};
constexpr Units kPublishedUnits = {"bit_ops_millions", "activation_kilobits", "weight_megabits"};
constexpr Units kExactUnits = {"bit_ops", "activation_bytes", "weight_bytes"};

Json ToJson(const PartCost& part, const Units& units) {
  const ConvCost compression = part.Compression();
  return {{units.bit_ops, part.cost.bit_ops},
          {units.activation_memory, part.cost.activation_memory},
          {units.weight_memory, part.cost.weight_memory},
          {"compression",
           {{"bit_ops", compression.bit_ops},
            {"activation_memory", compression.activation_memory},
            {"weight_memory", compression.weight_memory}}}};
}

}  // namespace

void PartCost::Add(const ConvShape& shape, const ConvBits& bits, CostModel model) {
  cost += quant::Cost(shape, bits.activation, bits.weight, model);
  at_32_bits += quant::Cost(shape, kFloat.activation, kFloat.weight, model);
}

CostReport MakeCostReport(const DerivedLayout& layout, const std::vector<ConvBits>& bits) {
  CHECK_EQ(bits.size(), layout.convs.size());
  CostReport report;
  for (size_t i = 0; i < bits.size(); ++i) {
    if (layout.convs[i].auxiliary) continue;
    const ConvShape& shape = layout.convs[i].shape;
    report.published_cells.Add(shape, bits[i], CostModel::kPublished);
    report.exact_cells.Add(shape, bits[i], CostModel::kExact);
    report.exact_network.Add(shape, bits[i], CostModel::kExact);
  }
  for (const FloatConvSite& conv : layout.float_convs) {
    if (!conv.auxiliary) report.exact_network.Add(conv.shape, kFloat, CostModel::kExact);
  }
  report.num_parameters = layout.num_parameters;
  return report;
}

Json CostReportToJson(const CostReport& report) {
  return {{"parameters", report.num_parameters},
          {"published_cells", ToJson(report.published_cells, kPublishedUnits)},
          {"exact_cells", ToJson(report.exact_cells, kExactUnits)},
          {"exact_network", ToJson(report.exact_network, kExactUnits)}};
}

}  // namespace nas
