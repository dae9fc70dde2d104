#include "quant/exact_sums.h"

#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/allclose.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/randn.h"
#include "c10/core/GradMode.h"
#include "gtest/gtest.h"
#include "quant/precision_conv.h"
#include "quant/quantizers.h"
#include "torch/utils.h"

namespace quant {
namespace {

TEST(ExactSums, LevelsAreIntegersTimesAUnit) {
  torch::manual_seed(1);
  const at::Tensor x = at::randn({8, 6, 5, 5});
  for (const int64_t bits : {1, 2, 3, 4, 5, 6, 7, 8}) {
    for (const Role role : {Role::kActivation, Role::kWeight}) {
      const Levels levels = LevelsOf(x, bits, role, EightBit::kSymmetric);
      ASSERT_TRUE(levels.integers);
      EXPECT_TRUE(at::equal(levels.levels, levels.levels.round()));
      const bool odd = role == Role::kWeight && bits < 5;
      EXPECT_LE(levels.levels.abs().max().item<double>(), (1 << bits) - 1);
      if (odd) {
        EXPECT_TRUE(levels.levels.remainder(2).eq(1).all().item<bool>());
      }
      const at::Tensor quantized = role == Role::kWeight
                                       ? QuantizeWeight(x, bits, EightBit::kSymmetric)
                                       : QuantizeActivation(x, bits, EightBit::kSymmetric);
      const at::Tensor unit = role == Role::kWeight ? levels.unit.reshape({-1, 1, 1, 1})
                                                    : levels.unit.reshape({1, 1, 1, 1});
      EXPECT_TRUE(at::allclose((levels.levels * unit).to(at::kFloat), quantized, 1e-6, 1e-7))
          << bits;
    }
  }
}

TEST(ExactSums, WhatIsNoIntegerStaysAsItIs) {
  const at::Tensor x = at::randn({4, 4, 3, 3});
  EXPECT_FALSE(LevelsOf(x, 32, Role::kWeight, EightBit::kSymmetric).integers);
  EXPECT_FALSE(LevelsOf(x, 8, Role::kWeight, EightBit::kPublished).integers);
  const at::Tensor constant = at::ones({4, 4, 3, 3});
  EXPECT_FALSE(LevelsOf(constant, 2, Role::kWeight, EightBit::kSymmetric).integers);
}

// A convolution with exact sums is the ordinary one but for rounding, and does not depend on the
// order of its channels at all.
TEST(ExactSums, SumsHaveNoOrder) {
  torch::manual_seed(2);
  const c10::NoGradGuard no_grad;
  const at::Tensor x = at::randn({2, 64, 9, 9});
  const at::Tensor order = at::randn({64}).argsort();
  for (const auto& [activation, weight] :
       {std::pair<int64_t, int64_t>{1, 1}, {2, 4}, {4, 4}, {8, 8}}) {
    const ConvOptions options{.in_channels = 64,
                              .out_channels = 16,
                              .kernel = {3, 3},
                              .padding = {1, 1},
                              .eight_bit = EightBit::kSymmetric};
    PrecisionConv2d conv(options), permuted(options);
    permuted->parameters()[0].copy_(conv->parameters()[0].index_select(1, order));
    const Precision precision = Precision::Fixed(activation, weight);
    const at::Tensor ordinary = conv->forward(x, precision);
    const ExactSumsGuard guard;
    const at::Tensor exact = conv->forward(x, precision);
    EXPECT_TRUE(at::allclose(exact, ordinary, 1e-4, 1e-4));
    // Symmetric 8-bit units, and those of low bits but for their standard deviation's rounding, are
    // the same in any order.
    const at::Tensor other = permuted->forward(x.index_select(1, order), precision);
    if (weight == 8) {
      EXPECT_TRUE(at::equal(exact, other));
    }
    EXPECT_TRUE(at::allclose(exact, other, 1e-6, 0));
  }
}

// Training has the exact values and the ordinary gradients.
TEST(ExactSums, GradientsAreTheOrdinaryOnes) {
  torch::manual_seed(3);
  const at::Tensor x = at::randn({2, 8, 6, 6});
  const at::Tensor slopes = at::randn({2, 4, 6, 6});
  PrecisionConv2d conv(
      ConvOptions{.in_channels = 8, .out_channels = 4, .kernel = {3, 3}, .padding = {1, 1}});
  struct Run {
    at::Tensor y, x_grad, weight_grad;
  };
  const auto run = [&] {
    const at::Tensor input = x.clone().set_requires_grad(true);
    conv->zero_grad();
    const at::Tensor y = conv->forward(input, Precision::Fixed(2, 4));
    (y * slopes).sum().backward();
    return Run{y.detach(), input.grad(), conv->parameters()[0].grad().clone()};
  };
  const Run ordinary = run();
  const ExactSumsGuard guard;
  const Run exact = run();
  EXPECT_TRUE(at::equal(exact.x_grad, ordinary.x_grad));
  EXPECT_TRUE(at::equal(exact.weight_grad, ordinary.weight_grad));
  EXPECT_FALSE(at::equal(exact.y, ordinary.y));
  const c10::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(exact.y, conv->forward(x, Precision::Fixed(2, 4))));
}

}  // namespace
}  // namespace quant
