#include "quant/precision_conv.h"

#include <cstdint>
#include <vector>

#include "ATen/ops/conv2d.h"
#include "quant/quantizers.h"

namespace quant {
namespace {

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

at::Tensor PrecisionConv2dImpl::Quantized(const at::Tensor& x, const Precision& precision) const {
  const std::vector<int64_t>& bits = precision.activation_bits;
  at::Tensor range_of;
  if (NeedsRange(bits)) {
    if (observe_) {
      observe_(x);
      return x;
    }
    if (fixed_range_.defined() && !is_training()) {
      range_of = fixed_range_.to(x.options());
    } else if (range_of_) {
      range_of = range_of_(x);
    }
  }
  return MixedActivation(x, bits, precision.activation_probs, eight_bit_, range_of);
}

at::Tensor PrecisionConv2dImpl::forward(const at::Tensor& x, const Precision& asked) {
  const Precision& precision = own_precision_ ? *own_precision_ : asked;
  const auto& options = conv_->options;
  const at::Tensor y = at::conv2d(
      Quantized(x, precision),
      MixedWeight(conv_->weight, precision.weight_bits, precision.weight_probs, eight_bit_),
      /*bias=*/{}, options.stride(), std::get<torch::ExpandingArray<2>>(options.padding()),
      options.dilation(), options.groups());
  set_sizes({x.size(2), x.size(3)}, {y.size(2), y.size(3)});
  return Tapped(y);
}

void PrecisionConv2dImpl::set_sizes(std::array<int64_t, 2> in, std::array<int64_t, 2> out) {
  shape_.in_h = in[0];
  shape_.in_w = in[1];
  shape_.out_h = out[0];
  shape_.out_w = out[1];
}

}  // namespace quant
