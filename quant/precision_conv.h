// One convolution for every precision: float, fixed bits, and a mixture of candidates while a
// search runs.
//
//   PrecisionConv2d conv(ConvOptions{.in_channels = 8, .out_channels = 16, .kernel = {3, 3},
//                                    .padding = {1, 1}});
//   at::Tensor y = conv->forward(x, Precision::Fixed(2, 4));
//   double macs = Macs(conv->shape(), CostModel::kExact);
#ifndef QUANT_PRECISION_CONV_H_
#define QUANT_PRECISION_CONV_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "base/output_tap.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"
#include "quant/precision.h"
#include "torch/nn/modules/container/any_value.h"
#include "torch/nn/modules/conv.h"
#include "torch/nn/pimpl.h"

namespace quant {

// Pairs are (height, width).
struct ConvOptions {
  int64_t in_channels;
  int64_t out_channels;
  std::array<int64_t, 2> kernel;
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> padding = {0, 0};
  std::array<int64_t, 2> dilation = {1, 1};
  int64_t groups = 1;
  EightBit eight_bit = EightBit::kPublished;
};

// y = conv2d(MixedActivation(x), MixedWeight(w)), without bias. Its only parameter is
// "conv.weight", initialized as torch::nn::Conv2d does.
class PrecisionConv2dImpl : public torch::nn::Module, public base::OutputTap {
 public:
  explicit PrecisionConv2dImpl(const ConvOptions& options);

  // x: [N, in_channels, H, W].
  at::Tensor forward(const at::Tensor& x, const Precision& precision = Precision::Float());

  // From now on `precision` holds, whatever a forward says: for networks whose convolutions differ
  // one by one.
  void set_precision(Precision precision) { own_precision_ = std::move(precision); }

  // Makes the ranges of 8-bit activations those of `range_of(x)`, [M, in_channels, 1, 1], instead
  // of x's own: those of a batch of which x is a part.
  using RangeFunction = std::function<at::Tensor(const at::Tensor& x)>;
  void set_range_of(RangeFunction range_of) { range_of_ = std::move(range_of); }

  // Makes the ranges of 8-bit activations, in evaluation, those of `range`: [2, in_channels, 1, 1],
  // the least and the greatest value of each channel. Undefined: the batch's again.
  void set_fixed_range(at::Tensor range) { fixed_range_ = std::move(range); }
  const at::Tensor& fixed_range() const { return fixed_range_; }

  // Shows every activation of 8 bits to `observe`, unquantized, and lets it pass as it is; null: no
  // more.
  using Observer = std::function<void(const at::Tensor& x)>;
  void set_observer(Observer observe) { observe_ = std::move(observe); }

  int64_t in_channels() const { return shape_.in_channels; }

  // With the input and output sizes of the last forward; 0 before the first.
  const ConvShape& shape() const { return shape_; }

  // For who computes the convolution in forward's place: what forward would compute with, whether
  // somebody looks on (then it has to be forward itself), and its sizes.
  const at::Tensor& weight() const { return conv_->weight; }
  EightBit eight_bit() const { return eight_bit_; }
  int64_t dilation() const { return (*conv_->options.dilation())[0]; }
  Precision PrecisionFor(const Precision& asked) const { return own_precision_.value_or(asked); }
  bool IsWatched() const;
  void set_sizes(std::array<int64_t, 2> in, std::array<int64_t, 2> out);

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(Precision::Float())})

 private:
  // What MixedActivation takes the ranges of, if not of x itself.
  at::Tensor RangeOf(const at::Tensor& x, const std::vector<int64_t>& bits) const;
  at::Tensor Quantized(const at::Tensor& x, const Precision& precision) const;

  EightBit eight_bit_;
  std::optional<Precision> own_precision_;
  ConvShape shape_;
  RangeFunction range_of_;  // May be null.
  at::Tensor fixed_range_;  // May be undefined.
  Observer observe_;        // May be null.
  torch::nn::Conv2d conv_;
};
TORCH_MODULE(PrecisionConv2d);

}  // namespace quant

#endif  // QUANT_PRECISION_CONV_H_
