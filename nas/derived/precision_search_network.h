// A fixed network whose every convolution searches its own bits: EdMIPS (arXiv:2004.05795) on a
// derived network, which the published code calls QSubNet.
//
//   PrecisionSearchNetwork search(derived_network, BitCandidates::Both({2, 4}),
//                                 quant::CostModel::kExact);
//   const auto [logits, auxiliary_logits] = search.Forward(images);
//   (CrossEntropy(logits, labels) + decay * search.Complexity()).backward();
//   const std::vector<ConvBits> found = search.Choices();
#ifndef NAS_DERIVED_PRECISION_SEARCH_NETWORK_H_
#define NAS_DERIVED_PRECISION_SEARCH_NETWORK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "quant/bit_cost.h"
#include "torch/nn/module.h"

namespace nas {

// What a search chooses among.
struct BitCandidates {
  std::vector<int64_t> activation = {2, 4};
  std::vector<int64_t> weight = {2, 4};

  static BitCandidates Both(std::vector<int64_t> bits) { return {bits, bits}; }
};

// alpha_activ and alpha_weight: [convolutions, bits] each, a row per convolution in
// DerivedLayout::convs, which the published code has as `<conv>.mix_activ.alpha_activ` and
// `<conv>.mix_weight.alpha_weight`. All start at 0.01.
class BitLogits : public torch::nn::Module {
 public:
  BitLogits(int64_t convs, const BitCandidates& bits);

  const at::Tensor& activation() const { return alpha_activ_; }
  const at::Tensor& weight() const { return alpha_weight_; }

  // Draws all logits from N(0, 1), with LibTorch's default generator.
  void Randomize();

  // Softmax over the bits: [convolutions, bits], differentiable.
  at::Tensor ActivationProbabilities() const;
  at::Tensor WeightProbabilities() const;

 private:
  at::Tensor alpha_activ_, alpha_weight_;
};

class PrecisionSearchNetwork {
 public:
  // Takes over the precisions of `network`'s convolutions; the logits are where its parameters are
  // and of their dtype. At least one candidate for each.
  PrecisionSearchNetwork(std::shared_ptr<DerivedNetwork> network, BitCandidates bits,
                         quant::CostModel cost_model);

  // As DerivedNetwork::forward, every convolution a mixture over the candidates.
  DerivedNetwork::Output Forward(const at::Tensor& images);

  // Σ over convolutions of macs·E[activation bits]·E[weight bits], divided by the first one's macs;
  // a scalar, differentiable in the logits. It counts the auxiliary head's if those are quantized,
  // as the published code does.
  at::Tensor Complexity() const;

  // The bits of the largest logits, by convolution, once `per_bit` times its bits is subtracted
  // from every logit; of equals the first.
  std::vector<ConvBits> Choices(double per_bit = 0) const;

  DerivedNetwork& network() { return *network_; }
  const DerivedNetwork& network() const { return *network_; }
  BitLogits& logits() { return *logits_; }
  const BitLogits& logits() const { return *logits_; }
  const DerivedLayout& layout() const { return layout_; }

 private:
  const std::shared_ptr<DerivedNetwork> network_;
  const BitCandidates bits_;
  const DerivedLayout layout_;
  const std::shared_ptr<BitLogits> logits_;
  std::vector<double> macs_;  // In units of the first convolution's.
};

}  // namespace nas

#endif  // NAS_DERIVED_PRECISION_SEARCH_NETWORK_H_
