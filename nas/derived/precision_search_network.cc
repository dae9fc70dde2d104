#include "nas/derived/precision_search_network.h"

#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/full.h"
#include "ATen/ops/softmax.h"
#include "ATen/ops/tensor.h"
#include "nas/derived/architecture.h"
#include "quant/precision.h"
#include "quant/precision_conv.h"

namespace nas {
namespace {

at::Tensor Widths(const std::vector<int64_t>& bits, const at::Tensor& like) {
  return at::tensor(bits, at::kLong).to(like.options());
}

}  // namespace

BitLogits::BitLogits(int64_t convs, const BitCandidates& bits) {
  const auto start = [convs](const std::vector<int64_t>& candidates) {
    return at::full({convs, static_cast<int64_t>(candidates.size())}, 0.01);
  };
  alpha_activ_ = register_parameter("alpha_activ", start(bits.activation));
  alpha_weight_ = register_parameter("alpha_weight", start(bits.weight));
}

void BitLogits::Randomize() {
  const at::NoGradGuard no_grad;
  alpha_activ_.normal_();
  alpha_weight_.normal_();
}

at::Tensor BitLogits::ActivationProbabilities() const { return at::softmax(alpha_activ_, 1); }

at::Tensor BitLogits::WeightProbabilities() const { return at::softmax(alpha_weight_, 1); }

PrecisionSearchNetwork::PrecisionSearchNetwork(std::shared_ptr<DerivedNetwork> network,
                                               BitCandidates bits, quant::CostModel cost_model)
    : network_(std::move(network)),
      bits_(std::move(bits)),
      layout_(LayoutOf(network_->architecture()).value()),
      logits_(std::make_shared<BitLogits>(layout_.convs.size(), bits_)) {
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
    network_->convs()[i]->set_precision({.activation_bits = bits_.activation,
                                         .weight_bits = bits_.weight,
                                         .activation_probs = activation[i],
                                         .weight_probs = weight[i]});
  }
  return network_->forward(images);
}

at::Tensor PrecisionSearchNetwork::Complexity() const {
  const at::Tensor activation = logits_->ActivationProbabilities();
  const at::Tensor macs = at::tensor(macs_, at::kDouble).to(activation.options());
  return (macs * activation.mv(Widths(bits_.activation, activation)) *
          logits_->WeightProbabilities().mv(Widths(bits_.weight, activation)))
      .sum();
}

std::vector<ConvBits> PrecisionSearchNetwork::Choices(double per_bit) const {
  const auto chosen = [per_bit](const at::Tensor& logits, const std::vector<int64_t>& bits) {
    return (logits - Widths(bits, logits) * per_bit).argmax(1).to(at::kCPU);
  };
  const at::Tensor activation = chosen(logits_->activation(), bits_.activation);
  const at::Tensor weight = chosen(logits_->weight(), bits_.weight);
  std::vector<ConvBits> choices;
  for (size_t i = 0; i < layout_.convs.size(); ++i) {
    choices.push_back(
        {bits_.activation[activation[i].item<int64_t>()], bits_.weight[weight[i].item<int64_t>()]});
  }
  return choices;
}

}  // namespace nas
