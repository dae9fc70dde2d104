#include "data/pixels/augmentation.h"

#include <cmath>
#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::HasSubstr;

View Draw(const Augmentation& augmentation, int width, int height, uint64_t seed) {
  Random random(seed);
  const auto view = DrawView(augmentation, width, height, random);
  EXPECT_TRUE(view.ok()) << view.status();
  return *view;
}

void ExpectInside(const Rect& rect, int width, int height) {
  EXPECT_GE(rect.x, 0);
  EXPECT_GE(rect.y, 0);
  EXPECT_GE(rect.width, 1);
  EXPECT_GE(rect.height, 1);
  EXPECT_LE(rect.x + rect.width, width);
  EXPECT_LE(rect.y + rect.height, height);
}

// Of the square that resizing the shorter side to 256 and cutting out 224 reads.
TEST(DrawViewTest, TheCentreSquare) {
  const View view = Draw(ImageNetEval(), 500, 375, 1);
  EXPECT_EQ(view.source.width, 328);
  EXPECT_EQ(view.source.height, 328);
  EXPECT_EQ(view.source.x, 86);
  EXPECT_EQ(view.source.y, 23);
  EXPECT_EQ(view.target.width, 224);
  EXPECT_FALSE(view.mirror);
  ExpectInside(Draw(ImageNetEval(), 1, 900, 1).source, 1, 900);
}

TEST(DrawViewTest, RandomResizedCropsKeepToTheirAreasAndRatios) {
  constexpr int kDraws = 20000;
  const Augmentation augmentation = ImageNetTrain();
  double share = 0, log_ratio = 0;
  int mirrored = 0, small = 0;
  for (int i = 0; i < kDraws; ++i) {
    const View view = Draw(augmentation, 1000, 1000, i);
    const Rect& crop = view.source;
    ExpectInside(crop, 1000, 1000);
    const double area = 1e-6 * crop.width * crop.height;
    const double ratio = static_cast<double>(crop.width) / crop.height;
    EXPECT_GT(area, 0.079);
    EXPECT_LE(area, 1);
    EXPECT_GT(ratio, 0.75 * 0.99);
    EXPECT_LT(ratio, 4.0 / 3 * 1.01);
    small += area < 0.31;  // below, every ratio fits into the image
    if (area < 0.31) share += area, log_ratio += std::log(ratio);
    mirrored += view.mirror;
  }
  EXPECT_NEAR(mirrored, kDraws / 2, 5 * std::sqrt(kDraws / 4));
  EXPECT_NEAR(share / small, (0.08 + 0.31) / 2, 0.005);
  EXPECT_NEAR(log_ratio / small, 0, 0.01);
}

TEST(DrawViewTest, WhereNoCropFitsItIsTheLargestWithinTheRatios) {
  const View wide = Draw(ImageNetTrain(), 10000, 30, 1);
  EXPECT_EQ(wide.source.height, 30);
  EXPECT_EQ(wide.source.width, 40);
  EXPECT_EQ(wide.source.x, 4980);
  const View thin = Draw(ImageNetTrain(), 1, 5000, 1);
  EXPECT_EQ(thin.source.width, 1);
  EXPECT_EQ(thin.source.height, 1);
}

TEST(DrawViewTest, AShiftedWindowCoversAllPlacesAndKeepsToTheImage) {
  Augmentation augmentation = CifarTrain();
  augmentation.cutout = 16;
  bool at[9][9] = {};
  for (int i = 0; i < 3000; ++i) {
    const View view = Draw(augmentation, 32, 32, i);
    ExpectInside(view.source, 32, 32);
    ExpectInside(view.target, 32, 32);
    EXPECT_EQ(view.source.width, view.target.width);
    EXPECT_EQ(view.source.height, view.target.height);
    const int x = view.source.x - view.target.x, y = view.source.y - view.target.y;
    ASSERT_LE(std::abs(x), 4);
    ASSERT_LE(std::abs(y), 4);
    at[x + 4][y + 4] = true;
    ExpectInside(view.erased, 32, 32);
    EXPECT_GE(view.erased.width, 8);  // its centre lies in the image
    EXPECT_LE(view.erased.width, 16);
  }
  for (const auto& column : at) EXPECT_THAT(column, testing::Each(true));
  Random random(1);
  EXPECT_EQ(DrawView(CifarEval(), 31, 32, random).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CheckAugmentationTest, NamesTheField) {
  const auto error = [](const std::function<void(Augmentation&)>& change) {
    Augmentation augmentation = ImageNetTrain();
    change(augmentation);
    return std::string(CheckAugmentation(augmentation).message());
  };
  EXPECT_EQ(error([](Augmentation&) {}), "");
  EXPECT_THAT(error([](Augmentation& a) { a.size = 0; }), HasSubstr("size"));
  EXPECT_THAT(error([](Augmentation& a) { a.padding = 224; }), HasSubstr("padding"));
  EXPECT_THAT(error([](Augmentation& a) { a.cutout = -1; }), HasSubstr("cutout"));
  EXPECT_THAT(error([](Augmentation& a) { a.min_area = 0; }), HasSubstr("min_area"));
  EXPECT_THAT(error([](Augmentation& a) { a.max_ratio = 0.5; }), HasSubstr("max_ratio"));
  EXPECT_THAT(error([](Augmentation& a) { a.center = 1.5; }), HasSubstr("center"));
  EXPECT_THAT(error([](Augmentation& a) { a.normalization.std[1] = 0; }), HasSubstr("std"));
}

}  // namespace
}  // namespace data
