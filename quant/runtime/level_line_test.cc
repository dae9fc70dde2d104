#include "quant/runtime/level_line.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"
#include "quant/runtime/arithmetic.h"
#include "quant/runtime/test_networks.h"

namespace quant::runtime {
namespace {

int32_t LevelOfSum(const ChannelLevels& channel, int64_t sum) {
  float y = Scaled(static_cast<double>(sum), channel.scale);
  if (channel.normalized) y = Normalized(y, channel.norm_scale, channel.norm_shift);
  if (channel.relu) y = std::max(y, 0.0f);
  return LevelOf(y, channel.lattice) - channel.lattice.low;
}

int32_t LevelOnLine(const ChannelLevels& channel, const Line& line, int64_t sum, bool fused) {
  const LineClamp clamp = ClampOfLine(channel.lattice, channel.relu);
  const float x = static_cast<float>(sum), product = x * line.slope;
  const float y = fused ? std::fma(x, line.slope, line.intercept) : product + line.intercept;
  return static_cast<int32_t>(std::nearbyint(std::clamp(y, clamp.low, clamp.high)));
}

ActivationLattice AnyLattice(TestNumbers& numbers) {
  const int bits = 1 + static_cast<int>(numbers.Below(8));
  const int most = (1 << (bits - 1)) - 1;
  if (bits >= 5 && numbers.Below(2) == 0)
    return {.bits = bits, .step = numbers.Between(0.001f, 1), .low = -most, .high = most};
  return {.bits = bits, .step = numbers.Between(0.01f, 1), .low = 0, .high = (1 << bits) - 1};
}

// Nearly every channel has a line, and then it is right for every sum.
TEST(LevelLine, GivesTheLevelOfEverySum) {
  TestNumbers numbers(1);
  int found = 0;
  for (int i = 0; i < 400; ++i) {
    const ChannelLevels channel = {.scale = numbers.Between(1e-4f, 0.05f),
                                   .normalized = i % 4 != 0,
                                   .norm_scale = numbers.Between(-2, 2),
                                   .norm_shift = numbers.Between(-2, 2),
                                   .relu = numbers.Below(2) == 0,
                                   .lattice = AnyLattice(numbers),
                                   .most = 1 + numbers.Below(30000)};
    const auto line = FindLevelLine(channel);
    if (!line) continue;
    ++found;
    for (int64_t sum = -channel.most; sum <= channel.most; ++sum) {
      const int32_t expected = LevelOfSum(channel, sum);
      ASSERT_EQ(LevelOnLine(channel, *line, sum, true), expected) << i << ", sum " << sum;
      ASSERT_EQ(LevelOnLine(channel, *line, sum, false), expected) << i << ", sum " << sum;
    }
  }
  EXPECT_GE(found, 390);
}

TEST(LevelLine, ThereIsNoneOfNumbersThatAreNotFinite) {
  ChannelLevels channel = {.scale = 1e300, .lattice = {.bits = 2, .low = 0, .high = 3}, .most = 9};
  EXPECT_FALSE(FindLevelLine(channel).has_value());
  channel.scale = 1e-3;
  EXPECT_TRUE(FindLevelLine(channel).has_value());
}

TEST(LevelLine, AConstantChannelHasOne) {
  const ChannelLevels channel = {.normalized = true,
                                 .norm_scale = 0,
                                 .norm_shift = 1.2f,
                                 .lattice = {.bits = 2, .step = 0.5f, .low = 0, .high = 3},
                                 .most = 1000};
  const auto line = FindLevelLine(channel);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(LevelOnLine(channel, *line, -1000, true), 2);
  EXPECT_EQ(LevelOnLine(channel, *line, 1000, true), 2);
}

TEST(Reciprocal, RoundsAsTheDivision) {
  TestNumbers numbers(2);
  int found = 0;
  for (int i = 0; i < 200; ++i) {
    const ActivationLattice lattice = AnyLattice(numbers);
    const float reciprocal = FindReciprocal(lattice);
    if (reciprocal == 0) continue;
    ++found;
    for (int k = 0; k < 20000; ++k) {
      const float x = numbers.Between(static_cast<float>(lattice.low) * lattice.step,
                                      static_cast<float>(lattice.high) * lattice.step);
      const float quotient = x * reciprocal;
      const float sum = std::fma(std::fma(-quotient, lattice.step, x), reciprocal, quotient);
      ASSERT_EQ(std::nearbyint(sum), LevelOf(x, lattice)) << x << " / " << lattice.step;
    }
  }
  EXPECT_GE(found, 150);
}

}  // namespace
}  // namespace quant::runtime
