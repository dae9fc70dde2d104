#include "tools/program/complexity_unit.h"

#include "gtest/gtest.h"

namespace tools {
namespace {

constexpr quant::ConvShape kPointwise = {
    .in_channels = 8, .out_channels = 8, .in_h = 4, .in_w = 4, .out_h = 4, .out_w = 4};

TEST(ComplexityUnitTest, WithoutGroupsBothCountAlike) {
  EXPECT_DOUBLE_EQ(PublishedComplexityRatio({kPointwise, kPointwise}), 1);
}

TEST(ComplexityUnitTest, ADepthwiseConvolutionCountsChannelsTimes) {
  quant::ConvShape depthwise = kPointwise;
  depthwise.kernel_h = depthwise.kernel_w = 3;
  depthwise.groups = 8;
  // Published: 1 + 9; true: 1 + 9 / 8.
  EXPECT_DOUBLE_EQ(PublishedComplexityRatio({kPointwise, depthwise}), 10 / 2.125);
}

}  // namespace
}  // namespace tools
