#include "nas/learning/losses.h"

#include <cmath>

#include "ATen/ops/ones.h"
#include "ATen/ops/tensor.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

TEST(LossesTest, SmoothedCrossEntropyIsItsFormula) {
  // softmax of {0, log 3} is {1/4, 3/4}.
  const at::Tensor logits = at::tensor({0.0, std::log(3.0)}, at::kDouble).reshape({1, 2});
  const at::Tensor target = at::tensor({1}, at::kLong);
  EXPECT_NEAR(CrossEntropy(logits, target).item<double>(), -std::log(0.75), 1e-15);
  const double expected = -0.95 * std::log(0.75) - 0.05 * std::log(0.25);
  EXPECT_NEAR(CrossEntropy(logits, target, 0.1).item<double>(), expected, 1e-15);
}

TEST(LossesTest, OfMixedImagesBothLabelsCount) {
  const at::Tensor logits =
      at::tensor({0.0, std::log(3.0), 1.0, 2.0}, at::kDouble).reshape({2, 2}).requires_grad_();
  const at::Tensor targets = at::tensor({1, 0}, at::kLong), others = at::tensor({0, 0}, at::kLong);
  const at::Tensor shares = at::tensor({0.75f, 0.25f});
  const double first = -0.75 * std::log(0.75) - 0.25 * std::log(0.25);
  const double second = std::log1p(std::exp(1.0));
  const at::Tensor loss = MixedCrossEntropy(logits, targets, others, shares);
  EXPECT_NEAR(loss.item<double>(), (first + second) / 2, 1e-12);
  loss.backward();
  // softmax less the shares of the labels, halved by the mean; the first is where it should be.
  EXPECT_NEAR(logits.grad()[0][0].item<double>(), 0, 1e-12);
  EXPECT_NEAR(logits.grad()[1][1].item<double>(), 0.5 / (1 + std::exp(-1.0)), 1e-12);
  for (const double smoothing : {0.0, 0.1}) {
    EXPECT_NEAR(MixedCrossEntropy(logits, targets, others, at::ones(2), smoothing).item<double>(),
                CrossEntropy(logits, targets, smoothing).item<double>(), 1e-12);
  }
}

}  // namespace
}  // namespace nas
