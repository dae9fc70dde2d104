#include "nas/derived/conv_costs.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_format.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"
#include "quant/bit_cost.h"

namespace nas {
namespace {

using Json = nlohmann::ordered_json;
using quant::ConvShape;
using quant::CostModel;

Json Costs(const ConvShape& shape, const ConvBits& bits) {
  const quant::ConvCost exact = quant::Cost(shape, bits.activation, bits.weight, CostModel::kExact);
  return Json::array(
      {absl::StrFormat("%d->%d %dx%d/%d g%d @%d", shape.in_channels, shape.out_channels,
                       shape.kernel_h, shape.kernel_w, std::max(shape.stride_h, shape.stride_w),
                       shape.groups, shape.in_w),
       bits.activation, bits.weight, exact.bit_ops, exact.activation_memory, exact.weight_memory});
}

}  // namespace

Json ConvCostsToJson(const DerivedLayout& layout, const std::vector<ConvBits>& bits) {
  CHECK_EQ(bits.size(), layout.convs.size());
  Json stem = Json::object(), cells = Json::object(), rest = Json::object();
  for (const FloatConvSite& conv : layout.float_convs) {
    if (conv.auxiliary) continue;
    (conv.name.rfind("stem", 0) == 0 ? stem : rest)[conv.name] = Costs(conv.shape, {});
  }
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    const ConvSite& conv = layout.convs[i];
    if (conv.auxiliary) continue;
    Json costs = Costs(conv.shape, bits[i]);
    const quant::ConvCost published =
        quant::Cost(conv.shape, bits[i].activation, bits[i].weight, CostModel::kPublished);
    costs.insert(costs.end(),
                 {published.bit_ops, published.activation_memory, published.weight_memory});
    cells[conv.name] = std::move(costs);
  }
  stem.update(cells);
  stem.update(rest);
  return stem;
}

}  // namespace nas
