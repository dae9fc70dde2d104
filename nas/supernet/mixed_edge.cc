#include "nas/supernet/mixed_edge.h"

#include <string>
#include <utility>

#include "distributed/data_parallel/batch_norm.h"

namespace nas {
namespace {

bool IsPool(Primitive primitive) {
  return primitive == Primitive::kMaxPool3x3 || primitive == Primitive::kAvgPool3x3;
}

// A pool brought to the scale of the other primitives' outputs.
class NormalizedPool : public Operation {
 public:
  NormalizedPool(std::shared_ptr<Operation> pool, int64_t channels)
      : pool_(std::move(pool)),
        bn_(register_module(
            "1", distributed::BatchNorm2d(torch::nn::BatchNormOptions(channels).affine(false)))) {}

  at::Tensor forward(const at::Tensor& x, const quant::Precision& precision) override {
    return bn_->forward(pool_->forward(x, precision));
  }

 private:
  std::shared_ptr<Operation> pool_;
  distributed::BatchNorm2d bn_;
};

}  // namespace

MixedEdge::MixedEdge(int64_t channels, int64_t stride, quant::EightBit eight_bit) {
  const OperationOptions options{.affine = false, .eight_bit = eight_bit};
  auto ops = register_module("_ops", std::make_shared<torch::nn::Module>());
  for (int i = 0; i < kNumSearchPrimitives; ++i) {
    const Primitive primitive = kSearchPrimitives[i];
    if (primitive == Primitive::kNone) continue;
    operations_[i] = MakeOperation(primitive, channels, stride, options);
    if (IsPool(primitive)) {
      operations_[i] = std::make_shared<NormalizedPool>(operations_[i], channels);
    }
    ops->register_module(std::to_string(i), operations_[i]);
  }
}

void MixedEdge::Apply(const at::Tensor& x,
                      const std::array<quant::Precision, kNumGammaRows>& precisions,
                      std::vector<at::Tensor>& outputs) {
  static const quant::Precision& float_precision = *new quant::Precision(quant::Precision::Float());
  for (int i = 0; i < kNumSearchPrimitives; ++i) {
    if (operations_[i] == nullptr) continue;
    const std::optional<int> row = GammaRow(kSearchPrimitives[i]);
    outputs.push_back(operations_[i]->forward(x, row ? precisions[*row] : float_precision));
  }
}

}  // namespace nas
