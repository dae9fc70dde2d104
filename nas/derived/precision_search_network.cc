#include "nas/derived/precision_search_network.h"

#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/full.h"
#include "ATen/ops/softmax.h"
#include "ATen/ops/tensor.h"
#include "quant/precision.h"
#include "quant/precision_conv.h"

namespace nas {
namespace {

DerivedLayout LayoutOf(const DerivedNetwork& network) {
  const Architecture& architecture = network.architecture();
  return MakeDerivedLayout(architecture.genotype, architecture.network).value();
}

}  // namespace

BitLogits::BitLogits(int64_t convs, int64_t bits) {
  constexpr double kStart = 0.01;
  alpha_activ_ = register_parameter("alpha_activ", at::full({convs, bits}, kStart));
  alpha_weight_ = register_parameter("alpha_weight", at::full({convs, bits}, kStart));
}

void BitLogits::Randomize() {
  const at::NoGradGuard no_grad;
  alpha_activ_.normal_();
  alpha_weight_.normal_();
}

at::Tensor BitLogits::ActivationProbabilities() const { return at::softmax(alpha_activ_, 1); }

at::Tensor BitLogits::WeightProbabilities() const { return at::softmax(alpha_weight_, 1); }

PrecisionSearchNetwork::PrecisionSearchNetwork(std::shared_ptr<DerivedNetwork> network,
                                               std::vector<int64_t> bits,
                                               quant::CostModel cost_model)
    : network_(std::move(network)),
      bits_(std::move(bits)),
      layout_(LayoutOf(*network_)),
      logits_(std::make_shared<BitLogits>(layout_.convs.size(), bits_.size())) {
  const at::Tensor like = network_->parameters().front();
  logits_->to(like.device(), like.scalar_type());
  const double unit = quant::Macs(layout_.convs.front().shape, cost_model);
  for (const ConvSite& conv : layout_.convs) {
    macs_.push_back(quant::Macs(conv.shape, cost_model) / unit);
  }
}

DerivedNetwork::Output PrecisionSearchNetwork::Forward(const at::Tensor& images) {
  const std::vector<at::Tensor> activation = logits_->ActivationProbabilities().unbind();
  const std::vector<at::Tensor> weight = logits_->WeightProbabilities().unbind();
  for (size_t i = 0; i < network_->convs().size(); ++i) {
    network_->convs()[i]->set_precision(quant::Precision::Mixed(bits_, activation[i], weight[i]));
  }
  return network_->forward(images);
}

at::Tensor PrecisionSearchNetwork::Complexity() const {
  const at::Tensor activation = logits_->ActivationProbabilities();
  const at::Tensor macs = at::tensor(macs_, at::kDouble).to(activation.options());
  const at::Tensor widths = at::tensor(bits_, at::kLong).to(activation.options());
  return (macs * activation.mv(widths) * logits_->WeightProbabilities().mv(widths)).sum();
}

std::vector<ConvBits> PrecisionSearchNetwork::Choices(double per_bit) const {
  const at::Tensor charge = at::tensor(bits_, at::kLong).to(logits_->weight().options()) * per_bit;
  const at::Tensor activation = (logits_->activation() - charge).argmax(1).to(at::kCPU);
  const at::Tensor weight = (logits_->weight() - charge).argmax(1).to(at::kCPU);
  std::vector<ConvBits> choices;
  for (size_t i = 0; i < layout_.convs.size(); ++i) {
    choices.push_back({bits_[activation[i].item<int64_t>()], bits_[weight[i].item<int64_t>()]});
  }
  return choices;
}

}  // namespace nas
