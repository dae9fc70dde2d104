#include "nas/operations/stem.h"

#include "distributed/data_parallel/batch_norm.h"
#include "quant/precision_conv.h"
#include "torch/nn/modules/activation.h"

namespace nas {
namespace {

quant::PrecisionConv2d Conv3x3(int64_t in_channels, int64_t out_channels, int64_t stride,
                               quant::EightBit eight_bit) {
  return quant::PrecisionConv2d(quant::ConvOptions{.in_channels = in_channels,
                                                   .out_channels = out_channels,
                                                   .kernel = {3, 3},
                                                   .stride = {stride, stride},
                                                   .padding = {1, 1},
                                                   .eight_bit = eight_bit});
}

}  // namespace

torch::nn::Sequential CifarStem(int64_t channels, quant::EightBit eight_bit) {
  return torch::nn::Sequential(Conv3x3(3, channels, 1, eight_bit),
                               distributed::BatchNorm2d(channels));
}

torch::nn::Sequential ImageNetStem0(int64_t channels, quant::EightBit eight_bit) {
  return torch::nn::Sequential(Conv3x3(3, channels / 2, 2, eight_bit),
                               distributed::BatchNorm2d(channels / 2), torch::nn::ReLU(),
                               Conv3x3(channels / 2, channels, 2, eight_bit),
                               distributed::BatchNorm2d(channels));
}

torch::nn::Sequential ImageNetStem1(int64_t channels, quant::EightBit eight_bit) {
  return torch::nn::Sequential(torch::nn::ReLU(), Conv3x3(channels, channels, 2, eight_bit),
                               distributed::BatchNorm2d(channels));
}

}  // namespace nas
