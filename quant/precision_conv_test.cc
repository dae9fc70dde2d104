#include "quant/precision_conv.h"

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/TensorOperators.h"
#include "ATen/ops/allclose.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/softmax.h"
#include "ATen/ops/tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "quant/quantizers.h"
#include "torch/nn/modules/container/any.h"

namespace quant {
namespace {

using ::testing::ElementsAre;

class PrecisionConvTest : public testing::Test {
 protected:
  PrecisionConvTest() { conv_->to(at::kDouble); }

  at::Generator generator_ = at::detail::createCPUGenerator(5);
  at::Tensor x_ = at::randn({2, 4, 9, 11}, generator_, at::kDouble);
  PrecisionConv2d conv_{ConvOptions{.in_channels = 4,
                                    .out_channels = 6,
                                    .kernel = {3, 5},
                                    .stride = {2, 1},
                                    .padding = {1, 4},
                                    .dilation = {1, 2},
                                    .groups = 2}};
};

TEST_F(PrecisionConvTest, ParameterHasTheDerivedNetworksName) {
  EXPECT_THAT(conv_->named_parameters().keys(), ElementsAre("conv.weight"));
}

TEST_F(PrecisionConvTest, FloatPrecisionIsThePlainConvolution) {
  const at::Tensor weight = conv_->parameters()[0];
  EXPECT_TRUE(at::equal(conv_->forward(x_, Precision::Float()),
                        at::conv2d(x_, weight, {}, {2, 1}, {1, 4}, {1, 2}, 2)));
}

TEST_F(PrecisionConvTest, ItsOwnPrecisionHolds) {
  const at::Tensor fixed = conv_->forward(x_, Precision::Fixed(2, 4));
  conv_->set_precision(Precision::Fixed(2, 4));
  EXPECT_TRUE(at::equal(conv_->forward(x_, Precision::Float()), fixed));
  torch::nn::AnyModule in_a_sequence(conv_);
  EXPECT_TRUE(at::equal(in_a_sequence.forward(x_), fixed));
}

TEST_F(PrecisionConvTest, ATapReplacesTheOutput) {
  const at::Tensor y = conv_->forward(x_);
  conv_->set_output_tap([](const at::Tensor& output) { return output * 2; });
  EXPECT_TRUE(at::equal(conv_->forward(x_), y * 2));
  conv_->set_output_tap({});
  EXPECT_TRUE(at::equal(conv_->forward(x_), y));
}

TEST_F(PrecisionConvTest, FixedPrecisionIsACertainMixture) {
  const at::Tensor mixed =
      conv_->forward(x_, Precision::Mixed({2, 4}, at::tensor({0.0, 1.0}, at::kDouble),
                                          at::tensor({1.0, 0.0}, at::kDouble)));
  EXPECT_TRUE(at::allclose(conv_->forward(x_, Precision::Fixed(4, 2)), mixed, 0, 1e-15));
}

TEST_F(PrecisionConvTest, OneConvolutionServesTheWholeMixture) {
  const at::Tensor a = at::softmax(at::randn({3}, generator_, at::kDouble), 0);
  const at::Tensor w = at::softmax(at::randn({3}, generator_, at::kDouble), 0);
  const at::Tensor expected =
      at::conv2d(MixedActivation(x_, {2, 4, 8}, a),
                 MixedWeight(conv_->parameters()[0], {2, 4, 8}, w), {}, {2, 1}, {1, 4}, {1, 2}, 2);
  EXPECT_TRUE(at::equal(conv_->forward(x_, Precision::Mixed({2, 4, 8}, a, w)), expected));
}

TEST_F(PrecisionConvTest, RemembersItsShape) {
  conv_->forward(x_, Precision::Float());
  const ConvShape& shape = conv_->shape();
  EXPECT_EQ(shape.in_h, 9);
  EXPECT_EQ(shape.in_w, 11);
  EXPECT_EQ(shape.out_h, 5);
  EXPECT_EQ(shape.out_w, 11);
  EXPECT_EQ(shape.kernel_w, 5);
  EXPECT_EQ(shape.stride_h, 2);
  EXPECT_EQ(shape.groups, 2);
}

TEST_F(PrecisionConvTest, RangeOfAWholeBatchMakesPartsAgreeWithIt) {
  const Precision precision = Precision::Fixed(8, 4);
  const at::Tensor whole = conv_->forward(x_, precision);
  const at::Tensor part = x_.slice(0, 0, 1);
  EXPECT_FALSE(at::allclose(conv_->forward(part, precision), whole.slice(0, 0, 1)));
  conv_->set_range_of([this](const at::Tensor&) { return x_; });
  EXPECT_TRUE(at::allclose(conv_->forward(part, precision), whole.slice(0, 0, 1), 1e-12, 1e-12));
}

}  // namespace
}  // namespace quant
