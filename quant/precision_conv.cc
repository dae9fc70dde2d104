#include "quant/precision_conv.h"

#include <cstdint>
#include <vector>

#include "ATen/ops/conv2d.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "quant/exact_sums.h"
#include "quant/quantizers.h"

namespace quant {
namespace {

int64_t FixedBits(const std::vector<int64_t>& bits) {
  TORCH_CHECK(bits.size() == 1, "levels are of fixed bits");
  return bits[0];
}

torch::nn::Conv2dOptions LibraryOptions(const ConvOptions& options) {
  return torch::nn::Conv2dOptions(options.in_channels, options.out_channels, options.kernel)
      .stride(options.stride)
      .padding(torch::ExpandingArray<2>(options.padding))
      .dilation(options.dilation)
      .groups(options.groups)
      .bias(false);
}

}  // namespace

PrecisionConv2dImpl::PrecisionConv2dImpl(const ConvOptions& options)
    : eight_bit_(options.eight_bit),
      shape_{.in_channels = options.in_channels,
             .out_channels = options.out_channels,
             .kernel_h = options.kernel[0],
             .kernel_w = options.kernel[1],
             .stride_h = options.stride[0],
             .stride_w = options.stride[1],
             .groups = options.groups},
      conv_(register_module("conv", torch::nn::Conv2d(LibraryOptions(options)))) {}

at::Tensor PrecisionConv2dImpl::RangeOf(const at::Tensor& x,
                                        const std::vector<int64_t>& bits) const {
  if (!NeedsRange(bits)) return {};
  if (fixed_range_.defined() && !is_training()) return fixed_range_.to(x.options());
  return range_of_ ? range_of_(x) : at::Tensor();
}

at::Tensor PrecisionConv2dImpl::Quantized(const at::Tensor& x, const Precision& precision) const {
  const std::vector<int64_t>& bits = precision.activation_bits;
  if (observe_ && NeedsRange(bits)) {
    observe_(x);
    return x;
  }
  return MixedActivation(x, bits, precision.activation_probs, eight_bit_, RangeOf(x, bits));
}

at::Tensor PrecisionConv2dImpl::forward(const at::Tensor& x, const Precision& asked) {
  const Precision precision = PrecisionFor(asked);
  const auto& options = conv_->options;
  const ConvArguments arguments = {
      .stride = *options.stride(),
      .padding = *std::get<torch::ExpandingArray<2>>(options.padding()),
      .dilation = *options.dilation(),
      .groups = options.groups()};
  at::Tensor y, exact;
  // An observed activation is not quantized: it has no levels.
  if (!observe_ && (ExactSumsGuard::IsActive() || LevelObserver::IsActive())) {
    const c10::NoGradGuard no_grad;
    const Levels levels = LevelsOf(x, FixedBits(precision.activation_bits), Role::kActivation,
                                   eight_bit_, RangeOf(x, precision.activation_bits));
    LevelObserver::Observe(conv_->weight, levels);
    if (ExactSumsGuard::IsActive()) {
      const Levels weight =
          LevelsOf(conv_->weight, FixedBits(precision.weight_bits), Role::kWeight, eight_bit_);
      exact = ExactConv2d(levels, weight, arguments, x.scalar_type());
    }
  }
  const bool differentiated =
      c10::GradMode::is_enabled() && (x.requires_grad() || conv_->weight.requires_grad());
  if (!exact.defined() || differentiated) {
    y = at::conv2d(
        Quantized(x, precision),
        MixedWeight(conv_->weight, precision.weight_bits, precision.weight_probs, eight_bit_),
        /*bias=*/{}, arguments.stride, arguments.padding, arguments.dilation, arguments.groups);
  }
  if (exact.defined()) y = y.defined() ? WithGradientOf(y, exact) : exact;
  set_sizes({x.size(2), x.size(3)}, {y.size(2), y.size(3)});
  return Tapped(y);
}

bool PrecisionConv2dImpl::IsWatched() const {
  return observe_ || has_output_tap() || ExactSumsGuard::IsActive() || LevelObserver::IsActive();
}

void PrecisionConv2dImpl::set_sizes(std::array<int64_t, 2> in, std::array<int64_t, 2> out) {
  shape_.in_h = in[0];
  shape_.in_w = in[1];
  shape_.out_h = out[0];
  shape_.out_w = out[1];
}

}  // namespace quant
