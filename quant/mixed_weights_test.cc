#include "quant/mixed_weights.h"

#include <vector>

#include "ATen/ops/cat.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/softmax.h"
#include "gtest/gtest.h"
#include "quant/quantizers.h"
#include "torch/csrc/autograd/autograd.h"
#include "torch/utils.h"

namespace quant {
namespace {

// The result, and its gradients for the weights and the probabilities.
std::vector<at::Tensor> WithGradients(const at::Tensor& mixed, std::vector<at::Tensor> inputs) {
  torch::manual_seed(2);
  std::vector<at::Tensor> all = torch::autograd::grad({(mixed * at::randn_like(mixed)).sum()},
                                                      inputs, {}, std::nullopt, false, true);
  all.push_back(mixed.detach());
  return all;
}

TEST(MixedWeightsTest, AreThoseOfOneOperatorEach) {
  for (const EightBit eight_bit : kEightBits) {
    for (const auto& bits : std::vector<std::vector<int64_t>>{{2, 4}, {1, 8, 32}, {3}, {32}}) {
      torch::manual_seed(1);
      const int64_t candidates = bits.size();
      // One has several blocks of sums, one is not contiguous. No row is that of more than two,
      // whose gradients autograd would add in another order.
      std::vector<at::Tensor> inputs = {
          at::randn({4, 1, 3, 3}), at::randn({6, 4, 1, 1}),
          at::randn({5, 7, 1, 1}), at::randn({230, 150, 1, 1}),
          at::randn({7, 3, 5, 5}), at::randn({8, 6, 1, 1}).transpose(0, 1)};
      const std::vector<int64_t> rows = {2, 0, 2, 1, 0, 1};
      at::Tensor probs;
      if (candidates > 1) probs = at::randn({3, candidates}).softmax(1).set_requires_grad(true);
      for (at::Tensor& weight : inputs) weight.set_requires_grad(true);

      std::vector<at::Tensor> parts;
      for (size_t i = 0; i < inputs.size(); ++i) {
        parts.push_back(
            MixedWeight(inputs[i], bits, probs.defined() ? probs[rows[i]] : probs, eight_bit)
                .reshape(-1));
      }
      const at::Tensor together = MixedWeights(inputs, rows, bits, probs, eight_bit);
      if (probs.defined()) inputs.push_back(probs);
      const std::vector<at::Tensor> expected = WithGradients(at::cat(parts), inputs);
      const std::vector<at::Tensor> got = WithGradients(together, inputs);
      ASSERT_EQ(expected.size(), got.size());
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_TRUE(at::equal(got[i], expected[i])) << i << ", " << bits;
      }
    }
  }
}

}  // namespace
}  // namespace quant
