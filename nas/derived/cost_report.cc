#include "nas/derived/cost_report.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
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

void AppendTotal(std::string* table, absl::string_view name, const PartCost& part,
                 double bit_ops_scale, double activation_scale, double weight_scale,
                 absl::string_view units) {
  const ConvCost compression = part.Compression();
  absl::StrAppendFormat(table, "%-18s %12.3f %12.3f %12.3f   %s; %.2fx %.2fx %.2fx below 32/32\n",
                        name, part.cost.bit_ops * bit_ops_scale,
                        part.cost.activation_memory * activation_scale,
                        part.cost.weight_memory * weight_scale, units, compression.bit_ops,
                        compression.activation_memory, compression.weight_memory);
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

std::string CostTable(const DerivedLayout& layout, const std::vector<ConvBits>& bits) {
  size_t width = 0;
  for (const ConvSite& conv : layout.convs) width = std::max(width, conv.name.size());

  std::string table =
      absl::StrFormat("%-*s %-19s %4s %5s | published: %9s %9s %9s | exact: %9s %9s %9s\n", width,
                      "convolution", "in->out kernel/s g", "side", "a/w", "M BitOps", "act Kb",
                      "wgt Mb", "M BitOps", "act KB", "wgt KB");
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    const ConvSite& conv = layout.convs[i];
    const ConvShape& shape = conv.shape;
    const double a = bits[i].activation, w = bits[i].weight;
    const ConvCost published = quant::Cost(shape, a, w, CostModel::kPublished);
    const ConvCost exact = quant::Cost(shape, a, w, CostModel::kExact);
    const std::string form = absl::StrFormat(
        "%d->%d %dx%d/%d g%d", shape.in_channels, shape.out_channels, shape.kernel_h,
        shape.kernel_w, std::max(shape.stride_h, shape.stride_w), shape.groups);
    absl::StrAppendFormat(
        &table, "%-*s %-19s %4d %2d/%-2d | %20.3f %9.3f %9.4f | %16.3f %9.2f %9.3f\n", width,
        conv.name, form, shape.in_w, bits[i].activation, bits[i].weight, published.bit_ops,
        published.activation_memory, published.weight_memory, exact.bit_ops * 1e-6,
        exact.activation_memory * 1e-3, exact.weight_memory * 1e-3);
  }
  const CostReport report = MakeCostReport(layout, bits);
  absl::StrAppendFormat(&table, "%d parameters\n", report.num_parameters);
  AppendTotal(&table, "cells, published", report.published_cells, 1, 1, 1, "M BitOps, Kb, Mb");
  AppendTotal(&table, "cells, exact", report.exact_cells, 1e-6, 1e-3, 1e-3, "M BitOps, KB, KB");
  AppendTotal(&table, "network, exact", report.exact_network, 1e-6, 1e-3, 1e-3, "M BitOps, KB, KB");
  return table;
}

}  // namespace nas
