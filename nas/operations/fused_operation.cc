#include "nas/operations/fused_operation.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "ATen/ops/cat.h"
#include "glog/logging.h"
#include "nas/fused/fused_chain.h"
#include "quant/precision.h"
#include "quant/quantizers.h"

namespace nas {
namespace {

using quant::PrecisionConv2dImpl;

bool IsPointwise(const quant::ConvShape& shape) {
  return shape.kernel_h == 1 && shape.kernel_w == 1 && shape.groups == 1;
}

bool IsDepthwise(const quant::ConvShape& shape) {
  return shape.kernel_h == shape.kernel_w && shape.groups == shape.in_channels &&
         shape.out_channels == shape.in_channels && shape.kernel_h >= 3 && shape.kernel_h <= 7;
}

// The unit that these convolutions are, if they are one.
bool ShapeOf(const std::vector<PrecisionConv2dImpl*>& convs, fused::UnitShape& unit) {
  const quant::ConvShape& first = convs.front()->shape();
  unit = {.kind = fused::UnitKind::kPointwise,
          .in = first.in_channels,
          .out = first.out_channels,
          .kernel = static_cast<int>(first.kernel_h),
          .dilation = static_cast<int>(convs.front()->dilation()),
          .stride = static_cast<int>(first.stride_h)};
  if (convs.size() == 1) return IsPointwise(first) && unit.stride == 1;
  const quant::ConvShape& second = convs.back()->shape();
  if (convs.size() > 2 || !IsPointwise(second)) return false;
  if (IsDepthwise(first) && second.stride_h == 1) {
    unit.kind = fused::UnitKind::kSeparable;
    unit.out = second.out_channels;
    // UnitDepthwise's output stands where the unit's will be.
    return unit.in <= unit.out && (unit.dilation == 1 || (unit.dilation == 2 && unit.kernel <= 5));
  }
  unit.kind = fused::UnitKind::kReduce;
  unit.out = first.out_channels + second.out_channels;
  return IsPointwise(first) && first.stride_h == 2 && second.stride_h == 2 &&
         first.in_channels == second.in_channels;
}

at::Tensor Joined(const std::vector<at::Tensor>& x) {
  return x.size() == 1 ? x[0] : at::cat(x, /*dim=*/1);
}

}  // namespace

FusedOperation::FusedOperation(std::shared_ptr<Operation> operation)
    : operation_(std::move(operation)), pool_(operation_->AsPool()) {
  if (FindUnits()) return;
  units_.clear();
  chain_.units.clear();
}

bool FusedOperation::FindUnits() {
  units_ = UnitModulesOf(*operation_);
  for (const UnitModules& modules : units_) {
    fused::ChainUnit unit;
    if (modules.norm == nullptr || modules.convs.empty()) return false;
    if (!ShapeOf(modules.convs, unit.shape)) return false;
    if (!chain_.units.empty() && unit.shape.stride != 1) return false;
    unit.normalization = NormalizationOf(*modules.norm);
    chain_.units.push_back(std::move(unit));
  }
  return true;
}

void FusedOperation::Prepare() {
  chain_.communicator = units_.front().norm->communicator();
  for (size_t i = 0; i < units_.size(); ++i) {
    for (size_t c = 0; c < units_[i].convs.size(); ++c) {
      const PrecisionConv2dImpl& conv = *units_[i].convs[c];
      chain_.units[i].convs[c] = {
          .bits = conv.PrecisionFor(quant::Precision::Float()).activation_bits,
          .eight_bit = conv.eight_bit(),
          .range = operation_->is_training() ? at::Tensor() : conv.fixed_range()};
    }
  }
}

std::string FusedOperation::WhyNotFused(const at::Tensor& x) {
  if (pool_) return fused::WhyNotFused(*pool_, x);
  for (const UnitModules& unit : units_) {
    if (unit.norm->is_training() != operation_->is_training()) {
      return "one of its batch normalizations trains and another one does not";
    }
    if (unit.norm->has_output_tap()) return "what its batch normalizations give is quantized";
    for (const PrecisionConv2dImpl* conv : unit.convs) {
      if (conv->IsWatched()) return "its convolutions are observed, or computed exactly";
    }
  }
  Prepare();
  return fused::WhyNotFused(chain_, x);
}

at::Tensor FusedOperation::Forward(const std::vector<at::Tensor>& x,
                                   Implementation implementation) {
  const bool has_operator = !units_.empty() || pool_.has_value();
  if (implementation == Implementation::kFused && has_operator) {
    const std::string why_not = WhyNotFused(x[0]);
    if (why_not.empty()) return pool_ ? fused::ApplyPool(*pool_, Joined(x)) : ForwardFused(x);
    LOG_FIRST_N(INFO, 1) << "operations are computed module by module, not as one operator: "
                         << why_not;
  }
  return operation_->forward(Joined(x), quant::Precision::Float());
}

at::Tensor FusedOperation::ForwardFused(const std::vector<at::Tensor>& x) {
  fused::ChainTensors tensors{.x = x};
  for (const UnitModules& unit : units_) {
    for (const PrecisionConv2dImpl* conv : unit.convs) {
      const quant::Precision precision = conv->PrecisionFor(quant::Precision::Float());
      tensors.weights.push_back(quant::MixedWeight(conv->weight(), precision.weight_bits,
                                                   precision.weight_probs, conv->eight_bit()));
      tensors.probabilities.push_back(precision.activation_probs);
    }
    tensors.scales.push_back(unit.norm->weight);
    tensors.shifts.push_back(unit.norm->bias);
  }
  std::array<int64_t, 2> size = {x[0].size(2), x[0].size(3)};
  for (size_t i = 0; i < units_.size(); ++i) {
    size = NoteSizes(units_[i], chain_.units[i].shape, size);
  }
  return fused::ApplyChain(chain_, operation_->is_training(), tensors);
}

}  // namespace nas
