#include "nas/learning/losses.h"

#include <cmath>

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

}  // namespace
}  // namespace nas
