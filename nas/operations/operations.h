// The operations of the search space, one implementation for supernets and derived networks: a
// supernet passes mixed precisions and normalizes without affine parameters; a derived network
// fixes each convolution's bits, or computes in float, and normalizes with them.
//
//   std::shared_ptr<Operation> op = MakeOperation(Primitive::kSepConv3x3, 16, /*stride=*/2,
//   options); at::Tensor y = op->forward(x, quant::Precision::Fixed(2, 4));
//
// x is [N, C, H, W]; at stride 2 H and W are even and halve. Child names are those of the published
// derived network, as are the formulas (QDARTS/operations_eval.py); paddings keep H and W.
#ifndef NAS_OPERATIONS_OPERATIONS_H_
#define NAS_OPERATIONS_OPERATIONS_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "ATen/core/Tensor.h"
#include "distributed/data_parallel/batch_norm.h"
#include "nas/fused/fused_pool.h"
#include "nas/space/primitives.h"
#include "quant/lattice.h"
#include "quant/precision.h"
#include "quant/precision_conv.h"
#include "torch/nn/module.h"

namespace nas {

struct OperationOptions {
  bool affine = true;  // Whether batch normalizations learn a scale and a shift.
  quant::EightBit eight_bit = quant::EightBit::kPublished;
};

// An operation; all its convolutions share one precision.
class Operation : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& x, const quant::Precision& precision) = 0;

  // For who computes a pool in forward's place.
  virtual std::optional<fused::PoolSpec> AsPool() const { return std::nullopt; }
};

// The operation of `primitive` on `channels` channels with stride 1 or 2. A skip is the identity at
// stride 1 and a factorized reduce at stride 2; pools end in no batch normalization. A sum over
// operations may leave out kNone, which is zero.
std::shared_ptr<Operation> MakeOperation(Primitive primitive, int64_t channels, int64_t stride,
                                         const OperationOptions& options);

// ReLU, 1x1 convolution, BN: `conv`, `bn`.
class ReluConvBn : public Operation {
 public:
  ReluConvBn(int64_t in_channels, int64_t out_channels, const OperationOptions& options);
  at::Tensor forward(const at::Tensor& x, const quant::Precision& precision) override;

 private:
  quant::PrecisionConv2d conv_;
  distributed::BatchNorm2d bn_;
};

// ReLU, then two 1x1 convolutions of stride 2 to half the channels each, the second on the input
// shifted by one pixel in both directions; concatenated, BN: `conv_1`, `conv_2`, `bn`.
// out_channels is even.
class FactorizedReduce : public Operation {
 public:
  FactorizedReduce(int64_t in_channels, int64_t out_channels, const OperationOptions& options);
  at::Tensor forward(const at::Tensor& x, const quant::Precision& precision) override;

 private:
  quant::PrecisionConv2d conv_1_, conv_2_;
  distributed::BatchNorm2d bn_;
};

}  // namespace nas

#endif  // NAS_OPERATIONS_OPERATIONS_H_
