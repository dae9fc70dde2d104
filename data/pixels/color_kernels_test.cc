// The kernels of every instruction set that this processor has, beside plain loops.
#include "data/pixels/color_kernels.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/highway.h"

namespace data {
namespace {

constexpr int64_t kOne = 1 << kColorBits;

int64_t Gray(const uint8_t* pixel) {
  return (19589 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2]) >> kColorBits;
}

void Blend(int64_t factor, uint8_t* pixel) {
  const int64_t gray = Gray(pixel);
  for (int c = 0; c < 3; ++c) {
    const int64_t mixed = (factor * pixel[c] + (kOne - factor) * gray) >> kColorBits;
    pixel[c] = std::clamp<int64_t>(mixed, 0, 255);
  }
}

void Turn(int64_t sixths, uint8_t* pixel) {
  const int64_t red = pixel[0], green = pixel[1], blue = pixel[2];
  const int64_t high = std::max({red, green, blue}), chroma = high - std::min({red, green, blue});
  if (chroma == 0) return;
  int64_t hue = (red - green) * kOne / chroma + 4 * kOne;
  if (high == green) hue = (blue - red) * kOne / chroma + 2 * kOne;
  if (high == red) hue = (green - blue) * kOne / chroma;
  hue = (hue + sixths + 6 * kOne) % (6 * kOne);
  const int64_t rest = hue % kOne;
  const auto below = [&](int64_t share) {
    return static_cast<uint8_t>(high - ((chroma * share + kOne / 2) >> kColorBits));
  };
  const uint8_t top = high, bottom = high - chroma, falling = below(rest),
                rising = below(kOne - rest);
  const uint8_t colors[6][3] = {{top, rising, bottom}, {falling, top, bottom},
                                {bottom, top, rising}, {bottom, falling, top},
                                {rising, bottom, top}, {top, bottom, falling}};
  std::copy_n(colors[hue / kOne], 3, pixel);
}

// Random pixels, some of them gray, with few colours, or nearly gray.
std::vector<uint8_t> Pixels(size_t count, std::mt19937& random) {
  std::vector<uint8_t> bytes(3 * count);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const uint32_t value = random();
    switch (i / 3 % 4) {
      case 0:
        bytes[i] = value;
        break;
      case 1:
        bytes[i] = value % 3 * 127;
        break;
      case 2:
        bytes[i] = 200 + value % 4;
        break;
      case 3:
        bytes[i] = i % 3 == 0 ? value : bytes[i - 1];
        break;
    }
  }
  return bytes;
}

TEST(ColorKernelsTest, EveryInstructionSetGivesTheSameBytes) {
  int targets = 0;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
    std::mt19937 random(5);
    for (const size_t count : {0, 1, 2, 3, 7, 15, 16, 17, 33, 100, 20011}) {
      const std::vector<uint8_t> before = Pixels(count, random);
      int64_t sum = 0;
      for (size_t i = 0; i < count; ++i) sum += Gray(&before[3 * i]);
      EXPECT_EQ(SumOfGrays(before.data(), count), sum) << count;
      for (const double share : {0.0, 0.37, 1.0, 1.4, 5.999, 64.0}) {
        const auto fixed = static_cast<int32_t>(share * kOne);
        const auto rest = static_cast<int32_t>((kOne - fixed) * 121);
        std::vector<uint8_t> blended = before, expected = before;
        BlendWithLevel(fixed, rest, blended.data(), blended.size());
        for (uint8_t& value : expected) {
          value = std::clamp<int64_t>((int64_t{fixed} * value + rest) >> kColorBits, 0, 255);
        }
        EXPECT_EQ(blended, expected) << count << " by " << share;
        blended = expected = before;
        BlendWithGrays(fixed, blended.data(), count);
        for (size_t i = 0; i < count; ++i) Blend(fixed, &expected[3 * i]);
        EXPECT_EQ(blended, expected) << count << " by " << share;
        if (share >= 6) continue;
        std::vector<uint8_t> turned = before;
        expected = before;
        TurnHues(fixed, turned.data(), count);
        for (size_t i = 0; i < count; ++i) Turn(fixed, &expected[3 * i]);
        EXPECT_EQ(turned, expected) << count << " by " << share;
      }
    }
    ++targets;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
  EXPECT_GE(targets, 1);
}

// Every quotient of two bytes, where the vectors divide floats.
TEST(ColorKernelsTest, EveryPairOfChromaAndDifference) {
  std::vector<uint8_t> pixels, expected;
  for (int high = 0; high < 256; ++high) {
    for (int middle = 0; middle <= high; ++middle) {
      for (const int low : {0, middle / 2, middle}) {
        for (const auto& pixel : {std::array<int, 3>{high, middle, low},
                                  {low, high, middle},
                                  {middle, low, high},
                                  {high, low, middle}}) {
          pixels.insert(pixels.end(), pixel.begin(), pixel.end());
        }
      }
    }
  }
  for (const int32_t sixths : {0, 1, 12345, 3 * 65536, 6 * 65536 - 1}) {
    std::vector<uint8_t> turned = pixels;
    expected = pixels;
    TurnHues(sixths, turned.data(), pixels.size() / 3);
    for (size_t i = 0; i < pixels.size(); i += 3) Turn(sixths, &expected[i]);
    EXPECT_EQ(turned, expected) << sixths;
  }
}

}  // namespace
}  // namespace data
