#include "nas/operations/fused_operation.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/cat.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/softmax.h"
#include "gtest/gtest.h"
#include "nas/space/primitives.h"
#include "torch/csrc/autograd/autograd.h"
#include "torch/csrc/autograd/function.h"
#include "torch/utils.h"

namespace nas {
namespace {

using quant::EightBit;
using quant::Precision;
using quant::PrecisionConv2dImpl;

using Tensors = std::map<std::string, at::Tensor>;

struct Case {
  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

  std::string name;
  // kNone stands for ReluConvBn.
  Primitive primitive;
  int64_t stride = 1;
  // Of every convolution; with 32 among them sums of levels do not cancel out (see
  // supernet_cell_test.cc).
  std::vector<int64_t> bits = {32};
  EightBit eight_bit = EightBit::kPublished;
  std::vector<int64_t> parts = {8};  // Channels.
  int64_t height = 8, width = 6;
  bool training = true;
  bool fixed_ranges = false;
  bool gradients = true;  // Whether they are compared.
};

class Example {
 public:
  explicit Example(const Case& c) {
    torch::manual_seed(3);
    int64_t channels = 0;
    for (const int64_t part : c.parts) channels += part;
    const OperationOptions options{.eight_bit = c.eight_bit};
    operation_ = c.primitive == Primitive::kNone
                     ? std::make_shared<ReluConvBn>(channels, 6, options)
                     : MakeOperation(c.primitive, channels, c.stride, options);
    operation_->to(at::kDouble);
    operation_->train(c.training);
    {
      const torch::NoGradGuard no_grad;
      for (const auto& parameter : operation_->named_parameters()) {
        // Scales of both signs.
        if (parameter.key().find("bn") != std::string::npos) parameter.value().normal_();
        variables_[parameter.key()] = parameter.value();
      }
    }
    for (const auto& module : operation_->named_modules()) {
      auto* conv = module.value()->as<PrecisionConv2dImpl>();
      if (conv == nullptr) continue;
      if (c.bits.size() == 1) {
        conv->set_precision(Precision::Fixed(c.bits[0], c.bits[0]));
      } else {
        const int64_t count = static_cast<int64_t>(c.bits.size());
        const auto logits = [&](const std::string& name) {
          at::Tensor& variable = variables_[module.key() + name] = at::randn({count}, at::kDouble);
          variable.set_requires_grad(true);
          return at::softmax(variable, 0);
        };
        const at::Tensor activation = logits(".activation");
        conv->set_precision(Precision::Mixed(c.bits, activation, logits(".weight")));
      }
      if (c.fixed_ranges) {
        const at::Tensor width = at::rand({1, conv->in_channels(), 1, 1}, at::kDouble) + 0.5;
        conv->set_fixed_range(at::cat({-width, width}));
      }
    }
    for (size_t i = 0; i < c.parts.size(); ++i) {
      x_.push_back(at::randn({6, c.parts[i], c.height, c.width}, at::kDouble));
      x_.back().set_requires_grad(true);
      variables_["x" + std::to_string(i)] = x_.back();
    }
  }

  // The output, the gradients of a weighted sum of it for everything, and the buffers.
  Tensors Run(Implementation implementation) {
    FusedOperation fused(operation_);
    const at::Tensor out = fused.Forward(x_, implementation);
    torch::manual_seed(7);
    std::vector<at::Tensor> inputs;
    for (const auto& [name, tensor] : variables_) inputs.push_back(tensor);
    const std::vector<at::Tensor> gradients =
        torch::autograd::grad({(out * at::randn_like(out)).sum()}, inputs);
    Tensors result = {{"output", out.detach()}};
    size_t i = 0;
    for (const auto& [name, tensor] : variables_) result["gradient of " + name] = gradients[i++];
    for (const auto& buffer : operation_->named_buffers()) {
      result[buffer.key()] = buffer.value().detach().to(at::kDouble, false, /*copy=*/true);
    }
    return result;
  }

  // Whether the graph of the output is one operator's.
  bool IsFused() {
    const at::Tensor out = FusedOperation(operation_).Forward(x_, Implementation::kFused);
    return out.grad_fn()->name().find("Fused") != std::string::npos;
  }

  Operation& operation() { return *operation_; }

 private:
  std::shared_ptr<Operation> operation_;
  std::vector<at::Tensor> x_;
  Tensors variables_;
};

class FusedOperationTest : public testing::TestWithParam<Case> {};

TEST_P(FusedOperationTest, EqualsTheModules) {
  ASSERT_TRUE(Example(GetParam()).IsFused());
  const Tensors composed = Example(GetParam()).Run(Implementation::kComposed);
  const Tensors fused = Example(GetParam()).Run(Implementation::kFused);
  ASSERT_EQ(composed.size(), fused.size());
  for (const auto& [name, expected] : composed) {
    if (!GetParam().gradients && name.rfind("gradient", 0) == 0) continue;
    const at::Tensor& got = fused.at(name);
    ASSERT_EQ(got.sizes(), expected.sizes()) << name;
    const double scale = expected.abs().max().item<double>() + 1e-3;
    EXPECT_LT((got - expected).abs().max().item<double>() / scale, 1e-9) << name;
  }
}

constexpr Primitive kReluConvBn = Primitive::kNone;

INSTANTIATE_TEST_SUITE_P(
    Operations, FusedOperationTest,
    testing::Values(
        Case{"Separable", Primitive::kSepConv3x3}, Case{"Halving", Primitive::kSepConv5x5, 2},
        Case{"Wide", Primitive::kSepConv7x7, 1, {32}, EightBit::kPublished, {50}},
        // More than is worked on at once, and no multiple of it.
        Case{"Tiles", Primitive::kSepConv3x3, 1, {4, 32}, EightBit::kPublished, {16}, 24, 24},
        Case{"TilesOfOneRow", kReluConvBn, 1, {4, 32}, EightBit::kPublished, {10, 6}, 23, 25},
        Case{"TilesOfManyChannels", kReluConvBn, 1, {32}, EightBit::kPublished, {50}, 23, 25},
        Case{"MaxPool", Primitive::kMaxPool3x3}, Case{"AveragePool", Primitive::kAvgPool3x3},
        Case{"HalvingMaxPool", Primitive::kMaxPool3x3, 2},
        Case{"HalvingAveragePool", Primitive::kAvgPool3x3, 2},
        Case{"Dilated", Primitive::kDilConv5x5, 2}, Case{"Preprocessing", kReluConvBn},
        Case{"PreprocessingOfParts", kReluConvBn, 1, {4, 32}, EightBit::kPublished, {3, 5, 2}},
        Case{"Reduction", Primitive::kSkipConnect, 2, {3, 32}},
        Case{"ReductionOfManyChannels",
             Primitive::kSkipConnect,
             2,
             {32},
             EightBit::kPublished,
             {64}},
        Case{"Mixture", Primitive::kSepConv3x3, 1, {2, 4, 32}},
        Case{"OneWidth",
             Primitive::kSepConv3x3,
             1,
             {4},
             EightBit::kPublished,
             {8},
             8,
             6,
             true,
             false,
             /*gradients=*/false},
        Case{"EightBits", Primitive::kSepConv3x3, 2, {8}},
        Case{"EightBitsOfAReduction", Primitive::kSkipConnect, 2, {8, 2, 32}},
        Case{
            "EightBitsOfTheSearch", Primitive::kDilConv3x3, 1, {8, 32}, EightBit::kPublishedSearch},
        Case{"SymmetricEightBits", Primitive::kSepConv5x5, 1, {8}, EightBit::kSymmetric},
        Case{"OddSides", Primitive::kSepConv3x3, 1, {32}, EightBit::kPublished, {8}, 7, 5},
        Case{"Evaluation",
             Primitive::kSepConv3x3,
             2,
             {8, 32},
             EightBit::kPublished,
             {8},
             8,
             6,
             false},
        Case{"EvaluationWithRanges",
             Primitive::kSepConv3x3,
             2,
             {8},
             EightBit::kPublished,
             {8},
             8,
             6,
             false,
             true}),
    [](const auto& info) { return info.param.name; });

TEST(FusedOperationTest, OthersAreComputedByTheirModules) {
  EXPECT_FALSE(Example({"", Primitive::kConv7x1_1x7}).IsFused());
  // Odd sides do not halve.
  EXPECT_FALSE(
      Example({"", Primitive::kSepConv3x3, 2, {32}, EightBit::kPublished, {8}, 7, 5}).IsFused());
  // More widths than are mixed.
  EXPECT_FALSE(Example({"", Primitive::kSepConv3x3, 1, {1, 2, 3, 4, 8}}).IsFused());
}

TEST(FusedOperationTest, WhatIsObservedIsComputedByItsModules) {
  Example example({"", Primitive::kDilConv3x3});
  int seen = 0;
  for (const auto& module : example.operation().modules()) {
    if (auto* conv = module->as<PrecisionConv2dImpl>()) {
      conv->set_output_tap([&](const at::Tensor& y) { return ++seen, y; });
    }
  }
  EXPECT_FALSE(example.IsFused());
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace nas
