#include "nas/operations/operations.h"

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

using quant::Precision;

constexpr OperationOptions kSupernet{.affine = false};

TEST(OperationsTest, EveryPrimitiveKeepsOrHalvesTheSize) {
  const at::Tensor x = at::randn({2, 4, 8, 6});
  for (const Primitive primitive :
       {Primitive::kNone, Primitive::kMaxPool3x3, Primitive::kAvgPool3x3, Primitive::kSkipConnect,
        Primitive::kSepConv3x3, Primitive::kSepConv5x5, Primitive::kDilConv3x3,
        Primitive::kDilConv5x5, Primitive::kSepConv7x7, Primitive::kConv7x1_1x7}) {
    for (const int64_t stride : {1, 2}) {
      const auto op = MakeOperation(primitive, 4, stride, {});
      for (const Precision& precision : {Precision::Float(), Precision::Fixed(2, 4)}) {
        const at::Tensor y = op->forward(x, precision);
        EXPECT_EQ(y.sizes(), at::IntArrayRef({2, 4, 8 / stride, 6 / stride}))
            << std::string(PrimitiveName(primitive)) << " stride " << stride;
      }
    }
  }
}

std::set<std::string> Names(const Operation& op) {
  std::set<std::string> names;
  for (const auto& parameter : op.named_parameters()) names.insert(parameter.key());
  return names;
}

TEST(OperationsTest, ParametersHaveThePublishedNames) {
  const auto sep = MakeOperation(Primitive::kSepConv3x3, 4, 1, {});
  EXPECT_EQ(Names(*sep), (std::set<std::string>{"conv1.conv.weight", "conv2.conv.weight",
                                                "bn1.weight", "bn1.bias", "conv3.conv.weight",
                                                "conv4.conv.weight", "bn2.weight", "bn2.bias"}));
  const auto skip = MakeOperation(Primitive::kSkipConnect, 4, 2, kSupernet);
  EXPECT_EQ(Names(*skip), (std::set<std::string>{"conv_1.conv.weight", "conv_2.conv.weight"}));
  EXPECT_EQ(Names(ReluConvBn(3, 4, kSupernet)), (std::set<std::string>{"conv.conv.weight"}));
}

// Without the shift half of the pixels would never be seen.
TEST(OperationsTest, FactorizedReduceSeesEvenAndOddPixels) {
  FactorizedReduce op(1, 2, kSupernet);
  op.to(at::kDouble);
  op.eval();
  for (at::Tensor& weight : op.parameters()) weight.detach_().fill_(1);
  const at::Tensor x = at::arange(1, 17, at::kDouble).reshape({1, 1, 4, 4});
  const at::Tensor y = op.forward(x, Precision::Float());
  const at::Tensor even = x.slice(2, 0, {}, 2).slice(3, 0, {}, 2);
  const at::Tensor odd = x.slice(2, 1, {}, 2).slice(3, 1, {}, 2);
  EXPECT_TRUE(y.select(1, 0).allclose(even.select(1, 0), 1e-4));  // BN divides by sqrt(1 + 1e-5).
  EXPECT_TRUE(y.select(1, 1).allclose(odd.select(1, 0), 1e-4));
}

TEST(OperationsTest, AveragePoolingDoesNotCountPadding) {
  const at::Tensor ones = at::ones({1, 1, 4, 4});
  const auto op = MakeOperation(Primitive::kAvgPool3x3, 1, 1, {});
  EXPECT_TRUE(at::equal(op->forward(ones, Precision::Float()), ones));
}

}  // namespace
}  // namespace nas
