#include "nas/learning/optimizer.h"

#include <string>

#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/ones.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

NamedTensors OneParameter() { return {{"w", at::ones({3}, at::kDouble).set_requires_grad(true)}}; }

void StepOnce(Optimizer& optimizer) {
  for (const auto& [name, parameter] : optimizer.parameters()) {
    parameter.mutable_grad() = parameter.detach().mul(0.5);
  }
  optimizer.Step(0.1);
}

template <typename Options>
void ExpectSameAfterRestore(Options options) {
  Optimizer uninterrupted(OneParameter(), options);
  StepOnce(uninterrupted);
  base::TensorMap state;
  uninterrupted.AppendState("weights", state);

  Optimizer resumed(OneParameter(), options);
  resumed.parameters()[0].second.data().copy_(uninterrupted.parameters()[0].second.data());
  ASSERT_TRUE(resumed.LoadState("weights", state).ok());
  for (int step = 0; step < 3; ++step) {
    StepOnce(uninterrupted);
    StepOnce(resumed);
  }
  EXPECT_TRUE(at::equal(resumed.parameters()[0].second, uninterrupted.parameters()[0].second));
}

TEST(OptimizerTest, SgdContinuesFromItsState) {
  ExpectSameAfterRestore(Optimizer::SgdOptions{.momentum = 0.9, .weight_decay = 0.01});
}

TEST(OptimizerTest, AdamContinuesFromItsState) {
  ExpectSameAfterRestore(Optimizer::AdamOptions{.beta1 = 0.5, .weight_decay = 0.01});
}

TEST(OptimizerTest, MomentumBuffersAreUndefinedBeforeTheFirstStep) {
  Optimizer optimizer(OneParameter(), Optimizer::SgdOptions{.momentum = 0.9});
  EXPECT_FALSE(optimizer.MomentumBuffers()[0].defined());
  StepOnce(optimizer);
  EXPECT_TRUE(at::equal(optimizer.MomentumBuffers()[0], at::full({3}, 0.5, at::kDouble)));
}

TEST(OptimizerTest, AWrongShapeIsNamed) {
  Optimizer optimizer(OneParameter(), Optimizer::SgdOptions{.momentum = 0.9});
  const absl::Status status = optimizer.LoadState(
      "weights", {{"optimizer/weights/w/momentum_buffer", at::ones({4}, at::kDouble)}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("optimizer/weights/w/momentum_buffer"));
}

}  // namespace
}  // namespace nas
