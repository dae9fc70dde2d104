#include "nas/learning/sensitivity.h"

#include <cmath>
#include <cstddef>
#include <string>

#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nas/budget/bits_on_budget.h"
#include "nas/derived/architecture.h"
#include "nas/learning/evaluate_network.h"
#include "nlohmann/json.hpp"
#include "quant/bit_cost.h"
#include "quant/precision.h"

namespace nas {
namespace {

using distributed::Batch;

// The sum of losses over this rank's images.
double SumOfLosses(DerivedNetwork& network, absl::Span<const Batch> batches) {
  double sum = 0;
  for (const Batch& batch : batches) {
    if (batch.images.size(0) == 0) continue;
    sum += EvaluateNetwork(network, batch).at("loss").sum.item<double>();
  }
  return sum;
}

// In one BitOp; the published model's unit is a million.
int64_t WholeBitOps(double bit_ops, quant::CostModel model) {
  return std::llround(bit_ops * (model == quant::CostModel::kPublished ? 1e6 : 1));
}

}  // namespace

absl::StatusOr<Sensitivity> MeasureSensitivity(DerivedNetwork& network, const BitCandidates& bits,
                                               absl::Span<const Batch> batches,
                                               distributed::Communicator& communicator) {
  Sensitivity sensitivity;
  for (const int64_t activation : bits.activation) {
    for (const int64_t weight : bits.weight) sensitivity.pairs.push_back({activation, weight});
  }
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(network.architecture()));
  const std::vector<quant::PrecisionConv2dImpl*>& convs = network.convs();
  for (quant::PrecisionConv2dImpl* conv : convs) conv->set_precision(quant::Precision::Float());

  // Images, the loss in float, then a row for each convolution.
  const size_t pairs = sensitivity.pairs.size();
  std::vector<double> sums = {0, SumOfLosses(network, batches)};
  for (const Batch& batch : batches) sums[0] += static_cast<double>(batch.images.size(0));
  for (quant::PrecisionConv2dImpl* conv : convs) {
    for (const ConvBits& pair : sensitivity.pairs) {
      conv->set_precision(quant::Precision::Fixed(pair.activation, pair.weight));
      sums.push_back(SumOfLosses(network, batches));
    }
    conv->set_precision(quant::Precision::Float());
  }
  const c10::Device device = network.parameters().front().device();
  const at::Tensor total = at::tensor(sums, at::kDouble).to(device);
  RETURN_IF_ERROR(communicator.AllReduce(total, distributed::ReduceOp::kSum));
  const at::Tensor all = total.cpu();
  const double* const values = all.const_data_ptr<double>();

  if (values[0] == 0) return absl::DataLossError("sensitivity: there is no image to measure it on");
  sensitivity.images = std::llround(values[0]);
  sensitivity.float_loss = values[1] / values[0];
  for (size_t conv = 0; conv < convs.size(); ++conv) {
    sensitivity.rises.emplace_back();
    for (size_t pair = 0; pair < pairs; ++pair) {
      const double rise = values[2 + conv * pairs + pair] / values[0] - sensitivity.float_loss;
      if (!std::isfinite(rise)) {
        return absl::FailedPreconditionError(absl::StrCat("sensitivity: the loss with ",
                                                          layout.convs[conv].name, " quantized is ",
                                                          rise + sensitivity.float_loss));
      }
      sensitivity.rises.back().push_back(rise);
    }
  }
  return sensitivity;
}

absl::StatusOr<std::vector<ConvBits>> BitsFromSensitivity(const Sensitivity& sensitivity,
                                                          const DerivedLayout& layout,
                                                          const CostTarget& target, bool couple) {
  std::vector<std::string> tensors;
  std::vector<std::vector<BitsOption>> options;
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    const ConvSite& conv = layout.convs[i];
    tensors.push_back(couple ? conv.tensor : conv.name);
    options.emplace_back();
    for (size_t pair = 0; pair < sensitivity.pairs.size(); ++pair) {
      const ConvBits& bits = sensitivity.pairs[pair];
      const double cost =
          conv.auxiliary
              ? 0
              : quant::Cost(conv.shape, bits.activation, bits.weight, target.model).bit_ops;
      options.back().push_back({bits, WholeBitOps(cost, target.model), sensitivity.rises[i][pair]});
    }
  }
  return BitsOnBudget(tensors, options, WholeBitOps(target.Budget(layout), target.model));
}

nlohmann::ordered_json ToJson(const Sensitivity& sensitivity, const DerivedLayout& layout) {
  nlohmann::ordered_json rises = nlohmann::ordered_json::object();
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    nlohmann::ordered_json& row = rises[layout.convs[i].name];
    for (size_t pair = 0; pair < sensitivity.pairs.size(); ++pair) {
      const ConvBits& bits = sensitivity.pairs[pair];
      row.push_back({bits.activation, bits.weight, sensitivity.rises[i][pair]});
    }
  }
  return {{"float_loss", sensitivity.float_loss},
          {"images", sensitivity.images},
          {"rises", std::move(rises)}};
}

}  // namespace nas
