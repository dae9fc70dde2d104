#include "quant/bit_cost.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace quant {
namespace {

int64_t OutputSize(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

// Every multiply of a convolution loop, one by one.
int64_t CountMultiplies(const ConvShape& s) {
  int64_t count = 0;
  for (int64_t group = 0; group < s.groups; ++group)
    for (int64_t out = 0; out < s.out_channels / s.groups; ++out)
      for (int64_t y = 0; y < s.out_h; ++y)
        for (int64_t x = 0; x < s.out_w; ++x)
          for (int64_t in = 0; in < s.in_channels / s.groups; ++in)
            for (int64_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) ++count;
  return count;
}

ConvShape Conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding,
               int64_t dilation, int64_t groups, int64_t size) {
  const int64_t out_size = OutputSize(size, kernel, stride, padding, dilation);
  return {.in_channels = in,
          .out_channels = out,
          .kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = stride,
          .stride_w = stride,
          .groups = groups,
          .in_h = size,
          .in_w = size,
          .out_h = out_size,
          .out_w = out_size};
}

// One convolution of each kind in a CIFAR cell: preprocessing, separable (reducing, then not),
// dilated, and the two halves of a factorized reduce.
std::vector<ConvShape> CellConvs() {
  return {Conv(48, 16, 1, 1, 0, 1, 1, 32),  Conv(16, 16, 3, 2, 1, 1, 16, 32),
          Conv(16, 16, 1, 1, 0, 1, 1, 16),  Conv(16, 16, 5, 1, 2, 1, 16, 16),
          Conv(16, 16, 5, 1, 4, 2, 16, 16), Conv(16, 8, 1, 2, 0, 1, 1, 32),
          Conv(16, 8, 1, 2, 0, 1, 1, 31)};
}

TEST(BitCostTest, ExactMacsAreThoseOfTheLoops) {
  for (const ConvShape& shape : CellConvs()) {
    EXPECT_EQ(Macs(shape, CostModel::kExact), CountMultiplies(shape));
  }
}

TEST(BitCostTest, PublishedModelIgnoresGroupsAndDividesByStrideSquared) {
  const ConvShape depthwise = Conv(16, 16, 3, 2, 1, 1, 16, 32);
  EXPECT_DOUBLE_EQ(Macs(depthwise, CostModel::kPublished), 16 * 16 * 9 * 1e-6 / 4 * 32 * 32);
  EXPECT_DOUBLE_EQ(Macs(depthwise, CostModel::kPublished) * 1e6,
                   16 * Macs(depthwise, CostModel::kExact));
  EXPECT_DOUBLE_EQ(Parameters(depthwise, CostModel::kPublished), 16 * 16 * 9 * 1e-6);
  EXPECT_EQ(Parameters(depthwise, CostModel::kExact), 16 * 9);
  // Half of a factorized reduce on an odd size: 16 × 16 true outputs, not 31²/4.
  const ConvShape odd = Conv(16, 8, 1, 2, 0, 1, 1, 31);
  EXPECT_EQ(Macs(odd, CostModel::kExact), 16 * 8 * 16 * 16);
  EXPECT_DOUBLE_EQ(Macs(odd, CostModel::kPublished), 16 * 8 * 1e-6 / 4 * 31 * 31);
}

TEST(BitCostTest, CostsAddUpAndCompress) {
  for (const CostModel model : {CostModel::kExact, CostModel::kPublished}) {
    ConvCost low, full;
    double bit_ops = 0;
    for (const ConvShape& shape : CellConvs()) {
      low += Cost(shape, 2, 4, model);
      full += Cost(shape, 32, 32, model);
      bit_ops += Macs(shape, model) * 2 * 4;
    }
    EXPECT_DOUBLE_EQ(low.bit_ops, bit_ops);
    const ConvCost compression = low.CompressionFrom(full);
    EXPECT_DOUBLE_EQ(compression.bit_ops, 32.0 * 32 / (2 * 4));
    EXPECT_DOUBLE_EQ(compression.activation_memory, 16);
    EXPECT_DOUBLE_EQ(compression.weight_memory, 8);
  }
}

TEST(BitCostTest, ExactMemoryIsInBytes) {
  const ConvCost cost = Cost(Conv(16, 16, 3, 1, 1, 1, 16, 32), 4, 2, CostModel::kExact);
  EXPECT_EQ(cost.activation_memory, 16 * 32 * 32 / 2);
  EXPECT_EQ(cost.weight_memory, 16 * 9 / 4);
}

}  // namespace
}  // namespace quant
