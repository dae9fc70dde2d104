// The auxiliary classifier that training attaches behind the second reduction.
#ifndef NAS_OPERATIONS_AUXILIARY_HEAD_H_
#define NAS_OPERATIONS_AUXILIARY_HEAD_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "distributed/data_parallel/batch_norm.h"
#include "nas/space/image_kind.h"
#include "quant/lattice.h"
#include "quant/precision_conv.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/linear.h"

namespace nas {

// 5x5 average pooling (stride 3 for CIFAR, 2 for ImageNet), 1x1 convolution to 128 channels, BN,
// ReLU, 2x2 convolution to 768, BN (CIFAR's only), ReLU, linear: AuxiliaryHeadCIFAR and
// AuxiliaryHeadImageNet in QDARTS/model.py, with their names: `features.2` …, `classifier`. In
// float unless its convolutions are given precisions; `eight_bit` is then their 8-bit quantizer.
class AuxiliaryHead : public torch::nn::Module {
 public:
  AuxiliaryHead(ImageKind images, int64_t in_channels, int64_t classes,
                quant::EightBit eight_bit = quant::EightBit::kPublished);

  // `x` [N, in_channels, H, W] comes from a ReLU and is pooled to 2x2 pixels; logits [N, classes].
  at::Tensor forward(const at::Tensor& x);

 private:
  int64_t pool_stride_;
  quant::PrecisionConv2d conv1_{nullptr};
  distributed::BatchNorm2d bn1_{nullptr};
  quant::PrecisionConv2d conv2_{nullptr};
  distributed::BatchNorm2d bn2_{nullptr};  // CIFAR's only.
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace nas

#endif  // NAS_OPERATIONS_AUXILIARY_HEAD_H_
