#include "data/pixels/image_ops.h"

#include <cstdint>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

struct Picture {
  RgbImage image() { return {bytes.data(), width, height}; }

  std::vector<int> red() const {
    std::vector<int> values;
    for (size_t i = 0; i < bytes.size(); i += 3) values.push_back(bytes[i]);
    return values;
  }

  int width, height;
  std::vector<uint8_t> bytes;
};

Picture Gray(int width, int height, const std::vector<uint8_t>& levels) {
  std::vector<uint8_t> bytes;
  for (const uint8_t level : levels) bytes.insert(bytes.end(), 3, level);
  return {width, height, bytes};
}

TEST(ImageOpsTest, FactorsBlendAndOneChangesNothing) {
  Picture picture = {2, 1, {10, 100, 200, 30, 60, 250}};
  const std::vector<uint8_t> before = picture.bytes;
  ScratchBuffer scratch;
  AdjustBrightness(1, picture.image());
  AdjustContrast(1, picture.image());
  AdjustSaturation(1, picture.image());
  AdjustSharpness(1, picture.image(), scratch);
  EXPECT_EQ(picture.bytes, before);

  AdjustBrightness(1.5, picture.image());
  EXPECT_THAT(picture.bytes, ElementsAre(15, 150, 255, 45, 90, 255));
  AdjustSaturation(0, picture.image());  // 0.2989 · 15 + 0.587 · 150 + 0.114 · 255 = 121.6; 95.4
  EXPECT_THAT(picture.bytes, ElementsAre(121, 121, 121, 95, 95, 95));
  AdjustContrast(0, picture.image());
  EXPECT_THAT(picture.bytes, Each(107));  // The weights of gray add up to 0.9999.
}

TEST(ImageOpsTest, HueTurnsRedToGreenToBlue) {
  Picture picture = {3, 1, {200, 20, 20, 110, 110, 20, 7, 7, 7}};
  AdjustHue(1.0 / 3, picture.image());
  EXPECT_THAT(picture.bytes, ElementsAre(20, 200, 20, 20, 110, 110, 7, 7, 7));
  AdjustHue(1.0 / 3, picture.image());
  EXPECT_THAT(picture.bytes, ElementsAre(20, 20, 200, 110, 20, 110, 7, 7, 7));
  AdjustHue(-0.5, picture.image());
  EXPECT_THAT(picture.bytes, ElementsAre(200, 200, 20, 20, 110, 20, 7, 7, 7));
}

TEST(ImageOpsTest, SharpnessBlursAllButTheBorder) {
  Picture picture = Gray(3, 3, {13, 0, 13, 0, 130, 0, 13, 0, 13});
  ScratchBuffer scratch;
  AdjustSharpness(0, picture.image(), scratch);
  EXPECT_THAT(picture.red(),
              ElementsAre(13, 0, 13, 0, 54, 0, 13, 0, 13));  // 5/13 · 130 + 4/13 · 13
}

TEST(ImageOpsTest, LevelsAreCutInvertedAndStretched) {
  Picture picture = Gray(4, 1, {50, 100, 129, 150});
  Posterize(2, picture.image());
  EXPECT_THAT(picture.red(), ElementsAre(0, 64, 128, 128));
  picture = Gray(4, 1, {50, 100, 129, 150});
  Solarize(129, picture.image());
  EXPECT_THAT(picture.red(), ElementsAre(50, 100, 126, 105));
  AutoContrast(picture.image());
  EXPECT_THAT(picture.red(), ElementsAre(0, 167, 255, 184));
}

TEST(ImageOpsTest, EqualizeSpreadsLevelsAndLeavesOneAlone) {
  std::vector<uint8_t> levels(1024);
  for (size_t i = 0; i < levels.size(); ++i)
    levels[i] = 100 + i / 256;  // Four levels, alike often.
  Picture picture = Gray(32, 32, levels);
  Equalize(picture.image());
  EXPECT_EQ(picture.red()[0], 0);
  EXPECT_EQ(picture.red()[256], 85);
  EXPECT_EQ(picture.red()[512], 171);
  EXPECT_EQ(picture.red()[1023], 255);

  Picture flat = Gray(32, 32, std::vector<uint8_t>(1024, 77));
  Equalize(flat.image());
  AutoContrast(flat.image());
  EXPECT_THAT(flat.bytes, Each(77));
}

TEST(ImageOpsTest, WarpShiftsShearsAndRotates) {
  std::vector<uint8_t> levels(9);
  std::iota(levels.begin(), levels.end(), 1);
  ScratchBuffer scratch;
  const auto warped = [&](const AffineMap& map) {
    Picture picture = Gray(3, 3, levels);
    Warp(map, picture.image(), scratch);
    return picture.red();
  };
  EXPECT_THAT(warped({}), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(warped({.x0 = 1}), ElementsAre(2, 3, 0, 5, 6, 0, 8, 9, 0));
  EXPECT_THAT(warped({.y0 = -2}), ElementsAre(0, 0, 0, 0, 0, 0, 1, 2, 3));
  EXPECT_THAT(warped({.xy = 1}),
              ElementsAre(2, 3, 0, 6, 0, 0, 0, 0, 0));  // Centres move by 1/2, 3/2
  EXPECT_THAT(warped(Rotation(90, 3, 3)), ElementsAre(3, 6, 9, 2, 5, 8, 1, 4, 7));
  EXPECT_THAT(warped(Rotation(180, 3, 3)), ElementsAre(9, 8, 7, 6, 5, 4, 3, 2, 1));
}

}  // namespace
}  // namespace data
