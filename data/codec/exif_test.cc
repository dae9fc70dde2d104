#include "data/codec/exif.h"

#include <string>
#include <utility>
#include <vector>

#include "data/codec/test_images.h"
#include "gtest/gtest.h"

namespace data {
namespace {

Bytes WithExif(const std::string& exif) { return MakeJpeg(8, 8, 1, {.app1 = exif}); }

TEST(ExifOrientationTest, IsReadInBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {false, true}) {
      EXPECT_EQ(ExifOrientation(WithExif(MakeExif(orientation, little))), orientation);
    }
  }
}

TEST(ExifOrientationTest, IsFoundBehindFillBytes) {
  Bytes jpeg = WithExif(MakeExif(/*orientation=*/6, /*little=*/true));
  jpeg.insert(jpeg.begin() + 2, 3, 0xff);
  EXPECT_EQ(ExifOrientation(jpeg), 6);
}

TEST(ExifOrientationTest, IsUprightWhereNothingSensibleIsSaid) {
  EXPECT_EQ(ExifOrientation(MakeJpeg(8, 8, 1)), kUpright);
  EXPECT_EQ(ExifOrientation(WithExif(MakeExif(0, true))), kUpright);
  EXPECT_EQ(ExifOrientation(WithExif(MakeExif(9, true))), kUpright);
  const std::string exif = MakeExif(6, true);
  for (size_t size = 0; size < exif.size() - 6; ++size) {  // up to the orientation
    EXPECT_EQ(ExifOrientation(WithExif(exif.substr(0, size))), kUpright) << size;
  }
}

// Where EXIF 2.3 puts row v, column u of the stored width x height image, from what it says of the
// sides of row 0 and column 0.
std::pair<int, int> Upright(int orientation, int u, int v, int width, int height) {
  switch (orientation) {
    case 1:  // top, left
      return {u, v};
    case 2:  // top, right
      return {width - 1 - u, v};
    case 3:  // bottom, right
      return {width - 1 - u, height - 1 - v};
    case 4:  // bottom, left
      return {u, height - 1 - v};
    case 5:  // left, top
      return {v, u};
    case 6:  // right, top
      return {height - 1 - v, u};
    case 7:  // right, bottom
      return {height - 1 - v, width - 1 - u};
    default:  // left, bottom
      return {v, width - 1 - u};
  }
}

TEST(TurnUprightTest, AllOrientations) {
  constexpr int kWidth = 5, kHeight = 3;
  const Bytes picture = DrawPicture(kWidth, kHeight, 1);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    int width = kWidth, height = kHeight;
    Bytes turned = picture;
    TurnUpright(orientation, width, height, turned);
    EXPECT_EQ(width, orientation < 5 ? kWidth : kHeight);
    EXPECT_EQ(height, orientation < 5 ? kHeight : kWidth);
    for (int v = 0; v < kHeight; ++v) {
      for (int u = 0; u < kWidth; ++u) {
        const auto [x, y] = Upright(orientation, u, v, kWidth, kHeight);
        for (int c = 0; c < 3; ++c) {
          EXPECT_EQ(turned[3 * (y * width + x) + c], picture[3 * (v * kWidth + u) + c])
              << orientation;
        }
      }
    }
  }
}

}  // namespace
}  // namespace data
