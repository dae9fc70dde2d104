#include "nas/operations/auxiliary_head.h"

#include "ATen/ops/avg_pool2d.h"
#include "ATen/ops/relu.h"

namespace nas {
namespace {

quant::PrecisionConv2d Conv(int64_t in_channels, int64_t out_channels, int64_t kernel,
                            quant::EightBit eight_bit) {
  return quant::PrecisionConv2d(quant::ConvOptions{.in_channels = in_channels,
                                                   .out_channels = out_channels,
                                                   .kernel = {kernel, kernel},
                                                   .eight_bit = eight_bit});
}

}  // namespace

AuxiliaryHead::AuxiliaryHead(ImageKind images, int64_t in_channels, int64_t classes,
                             quant::EightBit eight_bit)
    : pool_stride_(images == ImageKind::kCifar ? 3 : 2) {
  auto features = register_module("features", std::make_shared<torch::nn::Module>());
  conv1_ = features->register_module("2", Conv(in_channels, 128, 1, eight_bit));
  bn1_ = features->register_module("3", distributed::BatchNorm2d(128));
  conv2_ = features->register_module("5", Conv(128, 768, 2, eight_bit));
  if (images == ImageKind::kCifar) {
    bn2_ = features->register_module("6", distributed::BatchNorm2d(768));
  }
  classifier_ = register_module("classifier", torch::nn::Linear(768, classes));
}

at::Tensor AuxiliaryHead::forward(const at::Tensor& x) {
  at::Tensor y = at::avg_pool2d(x, {5, 5}, {pool_stride_, pool_stride_}, /*padding=*/{0, 0},
                                /*ceil_mode=*/false, /*count_include_pad=*/false);
  y = at::relu(bn1_->forward(conv1_->forward(y)));
  y = conv2_->forward(y);
  if (bn2_) y = bn2_->forward(y);
  return classifier_->forward(at::relu(y).flatten(1));
}

}  // namespace nas
