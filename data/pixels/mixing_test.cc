#include "data/pixels/mixing.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace data {
namespace {

constexpr int kSize = 8;

TEST(MixingTest, SharesAreDrawnOfBeta) {
  for (const double a : {0.2, 1.0, 3.0}) {
    Random random(/*seed=*/1);
    constexpr int kDraws = 20000;
    double sum = 0, squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const Mix mix = DrawMix({.mixup = a}, kSize, random);
      ASSERT_GE(mix.share, 0);
      ASSERT_LE(mix.share, Mix::kWhole);
      const double share = static_cast<double>(mix.share) / Mix::kWhole;
      sum += share;
      squares += share * share;
    }
    const double mean = sum / kDraws;
    EXPECT_NEAR(mean, 0.5, 0.02);
    EXPECT_NEAR(squares / kDraws - mean * mean, 1 / (4 * (2 * a + 1)), 0.01);  // Beta's variance
  }
}

TEST(MixingTest, AShareOfCutmixIsItsArea) {
  Random random(/*seed=*/2);
  double sum = 0;
  for (int i = 0; i < 2000; ++i) {
    const Mix mix = DrawMix({.cutmix = 1}, 224, random);
    const Rect& box = mix.swapped;
    ASSERT_GE(box.x, 0);
    ASSERT_LE(box.x + box.width, 224);
    ASSERT_LE(box.y + box.height, 224);
    const double area = static_cast<double>(box.width) * box.height / (224 * 224);
    ASSERT_NEAR(static_cast<double>(mix.share) / Mix::kWhole, 1 - area, 1e-3);
    sum += area;
  }
  EXPECT_GT(sum / 2000, 0.3);  // 1/2 but for what is beyond the border
  EXPECT_LT(sum / 2000, 0.5);
}

TEST(MixingTest, BothAreUsedHalfOfTheTime) {
  Random random(/*seed=*/3);
  int swaps = 0;
  for (int i = 0; i < 1000; ++i) {
    swaps += DrawMix({.mixup = 1, .cutmix = 1}, 224, random).swapped.width > 0;
  }
  EXPECT_GT(swaps, 400);
  EXPECT_LT(swaps, 600);
}

TEST(MixingTest, ImagesTrade) {
  const Mix blend = {.share = 768};
  const Mix swap = {.share = 768, .swapped = {4, 0, 2, kSize}};
  constexpr int kValues = 3 * kSize * kSize;
  for (const PixelFormat format : {PixelFormat::kFloat32Nchw, PixelFormat::kFloat32Nhwc}) {
    std::vector<float> a(kValues, 1), b(kValues, -1);
    MixImages(blend, format, kSize, reinterpret_cast<uint8_t*>(a.data()),
              reinterpret_cast<uint8_t*>(b.data()));
    EXPECT_EQ(a, std::vector<float>(kValues, 0.5f));
    EXPECT_EQ(b, std::vector<float>(kValues, -0.5f));
    MixImages(swap, format, kSize, reinterpret_cast<uint8_t*>(a.data()),
              reinterpret_cast<uint8_t*>(b.data()));
    for (int i = 0; i < kValues; ++i) {
      const int x = format == PixelFormat::kFloat32Nchw ? i % kSize : i / 3 % kSize;
      ASSERT_EQ(a[i], x == 4 || x == 5 ? -0.5f : 0.5f) << i;
      ASSERT_EQ(b[i], -a[i]);
    }
  }
  std::vector<uint8_t> a(kValues, 200), b(kValues, 0);
  MixImages(blend, PixelFormat::kUint8Nhwc, kSize, a.data(), b.data());
  MixImages(swap, PixelFormat::kUint8Nhwc, kSize, a.data(), b.data());
  for (int i = 0; i < kValues; ++i) {
    const int x = i / 3 % kSize;
    ASSERT_EQ(a[i], x == 4 || x == 5 ? 50 : 150) << i;
    ASSERT_EQ(b[i], 200 - a[i]);
  }
}

TEST(MixingTest, WrongParametersAreNamed) {
  EXPECT_TRUE(CheckMixing({.mixup = 0.2, .cutmix = 1}).ok());
  EXPECT_EQ(CheckMixing({.mixup = -1}).message(), "mixing: mixup: not 0 to 4");
  EXPECT_EQ(CheckMixing({.cutmix = 5}).message(), "mixing: cutmix: not 0 to 4");
}

}  // namespace
}  // namespace data
