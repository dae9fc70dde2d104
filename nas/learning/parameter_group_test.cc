#include "nas/learning/parameter_group.h"

#include <cmath>

#include "ATen/ops/allclose.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/ones.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

constexpr Schedule kHalving = {
    .shape = Schedule::Shape::kStep, .base = 1, .epochs = 4, .decay = 0.5, .decay_epochs = 1};

NamedTensors Four() { return {{"w", at::ones({4}, at::kDouble).set_requires_grad(true)}}; }

ParameterGroup Group(double max_gradient_norm) {
  return ParameterGroup("weights", Four(), Optimizer::SgdOptions{}, kHalving, max_gradient_norm);
}

// One step along a gradient of `gradient` everywhere; where the parameters are then.
at::Tensor After(ParameterGroup& group, double gradient, int64_t epoch, double expected_norm) {
  const at::Tensor& w = group.tensors()[0];
  w.mutable_grad() = at::full({4}, gradient, at::kDouble);
  EXPECT_DOUBLE_EQ(group.Step(epoch).item<double>(), expected_norm);
  return w.detach();
}

TEST(ParameterGroupTest, StepsAtTheRateOfTheEpoch) {
  ParameterGroup group = Group(/*max_gradient_norm=*/0);
  EXPECT_TRUE(at::equal(After(group, 1, /*epoch=*/1, 2), at::full({4}, 0.5, at::kDouble)));
  EXPECT_EQ(group.Rate(2), 0.25);
}

TEST(ParameterGroupTest, ClipsTheNormAndTellsWhatItWas) {
  ParameterGroup group = Group(/*max_gradient_norm=*/1);
  EXPECT_TRUE(
      at::allclose(After(group, 3, 0, /*expected_norm=*/6), at::full({4}, 0.5, at::kDouble), 1e-6));
}

TEST(ParameterGroupTest, ZeroDoesNotClip) {
  ParameterGroup group = Group(/*max_gradient_norm=*/0);
  EXPECT_TRUE(at::equal(After(group, 1e6, 0, 2e6), at::full({4}, 1 - 1e6, at::kDouble)));
}

TEST(ParameterGroupTest, TellsOfAGradientThatIsNotFinite) {
  ParameterGroup group = Group(/*max_gradient_norm=*/5);
  group.tensors()[0].mutable_grad() = at::full({4}, std::nan(""), at::kDouble);
  EXPECT_TRUE(std::isnan(group.Step(0).item<double>()));
}

TEST(ParameterGroupTest, WithoutGradientsNothingMoves) {
  ParameterGroup group = Group(5);
  After(group, 1, 0, 2);
  const at::Tensor before = group.tensors()[0].detach().clone();
  group.ClearGradients();
  EXPECT_EQ(group.Step(0).item<double>(), 0);
  EXPECT_TRUE(at::equal(group.tensors()[0].detach(), before));
}

TEST(ParameterGroupTest, StateStandsUnderTheGroupsName) {
  ParameterGroup group("gammas", Four(), Optimizer::SgdOptions{.momentum = 0.9}, kHalving, 0);
  After(group, 1, 0, 2);
  base::TensorMap state;
  group.AppendState(state);
  ASSERT_EQ(state.count("optimizer/gammas/w/momentum_buffer"), 1);
  ParameterGroup resumed("gammas", Four(), Optimizer::SgdOptions{.momentum = 0.9}, kHalving, 0);
  ASSERT_TRUE(resumed.LoadState(state).ok());
  EXPECT_TRUE(at::equal(resumed.MomentumBuffers()[0], group.MomentumBuffers()[0]));
}

TEST(ParameterGroupTest, TensorsOfSeveralGroupsInOrder) {
  const ParameterGroup a = Group(0), b = Group(0);
  const std::vector<at::Tensor> tensors = TensorsOf({&a, &b});
  ASSERT_EQ(tensors.size(), 2);
  EXPECT_TRUE(tensors[1].is_same(b.tensors()[0]));
}

}  // namespace
}  // namespace nas
