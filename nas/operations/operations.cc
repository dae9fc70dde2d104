#include "nas/operations/operations.h"

#include <array>
#include <utility>

#include "ATen/ops/avg_pool2d.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/max_pool2d.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/zeros_like.h"
#include "glog/logging.h"

namespace nas {
namespace {

using distributed::BatchNorm2d;
using quant::ConvOptions;
using quant::Precision;
using quant::PrecisionConv2d;

BatchNorm2d MakeBatchNorm(int64_t channels, const OperationOptions& options) {
  return BatchNorm2d(torch::nn::BatchNormOptions(channels).affine(options.affine));
}

// 1x1.
PrecisionConv2d Pointwise(int64_t in_channels, int64_t out_channels, int64_t stride,
                          const OperationOptions& options) {
  return PrecisionConv2d(ConvOptions{.in_channels = in_channels,
                                     .out_channels = out_channels,
                                     .kernel = {1, 1},
                                     .stride = {stride, stride},
                                     .eight_bit = options.eight_bit});
}

// Channel by channel.
PrecisionConv2d Depthwise(int64_t channels, int64_t kernel, int64_t stride, int64_t dilation,
                          const OperationOptions& options) {
  const int64_t padding = dilation * (kernel - 1) / 2;
  return PrecisionConv2d(ConvOptions{.in_channels = channels,
                                     .out_channels = channels,
                                     .kernel = {kernel, kernel},
                                     .stride = {stride, stride},
                                     .padding = {padding, padding},
                                     .dilation = {dilation, dilation},
                                     .groups = channels,
                                     .eight_bit = options.eight_bit});
}

class Zero : public Operation {
 public:
  explicit Zero(int64_t stride) : stride_(stride) {}
  at::Tensor forward(const at::Tensor& x, const Precision& precision) override {
    return at::zeros_like(x.slice(2, 0, {}, stride_).slice(3, 0, {}, stride_));
  }

 private:
  int64_t stride_;
};

class Identity : public Operation {
 public:
  at::Tensor forward(const at::Tensor& x, const Precision& precision) override { return x; }
};

class MaxPool : public Operation {
 public:
  explicit MaxPool(int64_t stride) : stride_(stride) {}
  at::Tensor forward(const at::Tensor& x, const Precision& precision) override {
    return at::max_pool2d(x, {3, 3}, {stride_, stride_}, /*padding=*/{1, 1});
  }

  std::optional<fused::PoolSpec> AsPool() const override {
    return fused::PoolSpec{/*max=*/true, stride_};
  }

 private:
  int64_t stride_;
};

// Padding does not count.
class AvgPool : public Operation {
 public:
  explicit AvgPool(int64_t stride) : stride_(stride) {}
  at::Tensor forward(const at::Tensor& x, const Precision& precision) override {
    return at::avg_pool2d(x, {3, 3}, {stride_, stride_}, /*padding=*/{1, 1}, /*ceil_mode=*/false,
                          /*count_include_pad=*/false);
  }

  std::optional<fused::PoolSpec> AsPool() const override {
    return fused::PoolSpec{/*max=*/false, stride_};
  }

 private:
  int64_t stride_;
};

// ReLU, depthwise, pointwise, BN; twice, the second time with stride 1.
class SepConv : public Operation {
 public:
  SepConv(int64_t channels, int64_t kernel, int64_t stride, const OperationOptions& options)
      : conv1_(register_module("conv1", Depthwise(channels, kernel, stride, 1, options))),
        conv2_(register_module("conv2", Pointwise(channels, channels, 1, options))),
        bn1_(register_module("bn1", MakeBatchNorm(channels, options))),
        conv3_(register_module("conv3", Depthwise(channels, kernel, 1, 1, options))),
        conv4_(register_module("conv4", Pointwise(channels, channels, 1, options))),
        bn2_(register_module("bn2", MakeBatchNorm(channels, options))) {}

  at::Tensor forward(const at::Tensor& x, const Precision& precision) override {
    at::Tensor y = conv2_->forward(conv1_->forward(at::relu(x), precision), precision);
    y = bn1_->forward(y);
    y = conv4_->forward(conv3_->forward(at::relu(y), precision), precision);
    return bn2_->forward(y);
  }

 private:
  PrecisionConv2d conv1_, conv2_;
  BatchNorm2d bn1_;
  PrecisionConv2d conv3_, conv4_;
  BatchNorm2d bn2_;
};

// ReLU, two convolutions, BN.
class ConvPair : public Operation {
 public:
  ConvPair(PrecisionConv2d conv1, PrecisionConv2d conv2, BatchNorm2d bn)
      : conv1_(register_module("conv1", std::move(conv1))),
        conv2_(register_module("conv2", std::move(conv2))),
        bn_(register_module("bn", std::move(bn))) {}

  at::Tensor forward(const at::Tensor& x, const Precision& precision) override {
    const at::Tensor y = conv1_->forward(at::relu(x), precision);
    return bn_->forward(conv2_->forward(y, precision));
  }

 private:
  PrecisionConv2d conv1_, conv2_;
  BatchNorm2d bn_;
};

std::shared_ptr<Operation> DilConv(int64_t channels, int64_t kernel, int64_t stride,
                                   const OperationOptions& options) {
  PrecisionConv2d conv1 = Depthwise(channels, kernel, stride, /*dilation=*/2, options);
  PrecisionConv2d conv2 = Pointwise(channels, channels, 1, options);
  return std::make_shared<ConvPair>(std::move(conv1), std::move(conv2),
                                    MakeBatchNorm(channels, options));
}

// 1x7, then 7x1 (NASNet). The published modules are numbered in a Sequential.
std::shared_ptr<Operation> Conv7x1_1x7(int64_t channels, int64_t stride,
                                       const OperationOptions& options) {
  ConvOptions conv{.in_channels = channels,
                   .out_channels = channels,
                   .kernel = {1, 7},
                   .stride = {1, stride},
                   .padding = {0, 3},
                   .eight_bit = options.eight_bit};
  PrecisionConv2d conv1(conv);
  for (auto* pair : {&conv.kernel, &conv.stride, &conv.padding}) std::swap((*pair)[0], (*pair)[1]);
  return std::make_shared<ConvPair>(std::move(conv1), PrecisionConv2d(conv),
                                    MakeBatchNorm(channels, options));
}

}  // namespace

ReluConvBn::ReluConvBn(int64_t in_channels, int64_t out_channels, const OperationOptions& options)
    : conv_(register_module("conv", Pointwise(in_channels, out_channels, 1, options))),
      bn_(register_module("bn", MakeBatchNorm(out_channels, options))) {}

at::Tensor ReluConvBn::forward(const at::Tensor& x, const Precision& precision) {
  return bn_->forward(conv_->forward(at::relu(x), precision));
}

FactorizedReduce::FactorizedReduce(int64_t in_channels, int64_t out_channels,
                                   const OperationOptions& options)
    : conv_1_(register_module("conv_1", Pointwise(in_channels, out_channels / 2, 2, options))),
      conv_2_(register_module("conv_2", Pointwise(in_channels, out_channels / 2, 2, options))),
      bn_(register_module("bn", MakeBatchNorm(out_channels, options))) {
  CHECK_EQ(out_channels % 2, 0);
}

at::Tensor FactorizedReduce::forward(const at::Tensor& x, const Precision& precision) {
  const at::Tensor active = at::relu(x);
  const at::Tensor shifted = active.slice(2, 1).slice(3, 1);
  return bn_->forward(at::cat(
      {conv_1_->forward(active, precision), conv_2_->forward(shifted, precision)}, /*dim=*/1));
}

std::shared_ptr<Operation> MakeOperation(Primitive primitive, int64_t channels, int64_t stride,
                                         const OperationOptions& options) {
  switch (primitive) {
    case Primitive::kNone:
      return std::make_shared<Zero>(stride);
    case Primitive::kMaxPool3x3:
      return std::make_shared<MaxPool>(stride);
    case Primitive::kAvgPool3x3:
      return std::make_shared<AvgPool>(stride);
    case Primitive::kSkipConnect:
      if (stride == 1) return std::make_shared<Identity>();
      return std::make_shared<FactorizedReduce>(channels, channels, options);
    case Primitive::kSepConv3x3:
      return std::make_shared<SepConv>(channels, 3, stride, options);
    case Primitive::kSepConv5x5:
      return std::make_shared<SepConv>(channels, 5, stride, options);
    case Primitive::kDilConv3x3:
      return DilConv(channels, 3, stride, options);
    case Primitive::kDilConv5x5:
      return DilConv(channels, 5, stride, options);
    case Primitive::kSepConv7x7:
      return std::make_shared<SepConv>(channels, 7, stride, options);
    case Primitive::kConv7x1_1x7:
      return Conv7x1_1x7(channels, stride, options);
  }
  LOG(FATAL) << "unknown primitive";
}

}  // namespace nas
