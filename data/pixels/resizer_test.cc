#include "data/pixels/resizer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "data/pixels/pixel_region.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::Each;

constexpr int kWidth = 131, kHeight = 97;
constexpr Rect kRect = {13, 7, kWidth, kHeight};  // of a larger image

struct Picture {
  std::vector<uint8_t> pixels;
  PixelRegion region;
};

// Every pixel is drawn on its own: the hardest picture to resize.
Picture Noise() {
  Picture picture;
  picture.pixels.resize(4 * kWidth * kHeight + kPixelPadding);
  Random random(1);
  for (uint8_t& value : picture.pixels) value = random.Below(256);
  picture.region = {picture.pixels.data(), 4 * kWidth, kRect};
  return picture;
}

// Of source pixel k in output `o` of the `outputs` that cover start .. start + extent. Shrinking,
// it is the share of the output's area; enlarging, a hat around the output's centre.
double Weight(int k, double start, double extent, int outputs, int o) {
  const double scale = extent / outputs, begin = start + o * scale, end = begin + scale;
  if (scale >= 1) return std::max(0.0, std::min(k + 1.0, end) - std::max<double>(k, begin)) / scale;
  const double first = std::floor(start), last = std::ceil(start + extent) - 1;
  const double center = std::clamp((begin + end) / 2, first + 0.5, last + 0.5);
  return std::max(0.0, 1 - std::abs(k + 0.5 - center));
}

double Reference(const PixelRegion& source, const Area& part, int width, int height, int x, int y,
                 int c) {
  double sum = 0;
  for (int v = 0; v < kHeight; ++v) {
    const double down = Weight(v + kRect.y, part.y, part.height, height, y);
    if (down == 0) continue;
    for (int u = 0; u < kWidth; ++u) {
      const double across = Weight(u + kRect.x, part.x, part.width, width, x);
      sum += down * across * source.pixels[v * source.stride + 4 * u + c];
    }
  }
  return sum;
}

struct Case {
  Area part;
  int width;
  int height;
};

std::vector<Case> Cases() {
  return {
      {{13, 7, 131, 97}, 131, 97},           // as it is
      {{13, 7, 131, 97}, 32, 24},            // smaller, by a fraction
      {{20, 10, 112, 80}, 7, 5},             // by 16
      {{33.5, 20.25, 40.75, 61.5}, 31, 17},  // edges inside pixels
      {{30, 30, 9, 11}, 32, 32},             // larger
      {{40.5, 50.5, 3.25, 2.5}, 30, 33},     // larger, edges inside pixels
      {{14, 8, 120, 9}, 40, 40},             // smaller across, larger down
      {{50, 60, 1, 1}, 8, 8},                // a pixel
      {{143, 7, 1, 97}, 3, 60},              // the last column
  };
}

std::vector<float> Resize(Resizer& resizer, const PixelRegion& source, const Case& c, bool mirror) {
  const PixelWriter writer(PixelFormat::kFloat32Nhwc, Normalization(), c.width, c.height);
  std::vector<float> image(3 * c.width * c.height);
  resizer.Resize(source, c.part, mirror, writer, reinterpret_cast<uint8_t*>(image.data()));
  return image;
}

TEST(ResizerTest, IsWithinASixteenthOfALevelOfTheDefinition) {
  const Picture picture = Noise();
  Resizer resizer;
  for (const Case& c : Cases()) {
    for (const bool mirror : {false, true}) {
      const std::vector<float> image = Resize(resizer, picture.region, c, mirror);
      for (int y = 0; y < c.height; ++y) {
        for (int x = 0; x < c.width; ++x) {
          const int from = mirror ? c.width - 1 - x : x;
          for (int channel = 0; channel < 3; ++channel) {
            const double expected =
                Reference(picture.region, c.part, c.width, c.height, from, y, channel);
            ASSERT_NEAR(255 * image[3 * (y * c.width + x) + channel], expected, 1.0 / 16)
                << c.part.width << "x" << c.part.height << " to " << c.width << "x" << c.height
                << ", pixel " << x << ", " << y;
          }
        }
      }
    }
  }
}

TEST(ResizerTest, VectorAndPortableKernelsGiveTheSameBits) {
  const Picture picture = Noise();
  Resizer best, portable(PortableResizeKernels());
  for (const Case& c : Cases()) {
    EXPECT_EQ(Resize(best, picture.region, c, false), Resize(portable, picture.region, c, false));
  }
}

TEST(ResizerTest, ALevelStaysThatLevel) {
  Picture picture = Noise();
  Resizer resizer;
  for (const int level : {0, 1, 127, 254, 255}) {
    std::fill(picture.pixels.begin(), picture.pixels.end(), level);
    for (const Case& c : Cases()) {
      const PixelWriter writer(PixelFormat::kUint8Nhwc, Normalization(), c.width, c.height);
      std::vector<uint8_t> image(writer.image_size());
      resizer.Resize(picture.region, c.part, /*mirror=*/false, writer, image.data());
      EXPECT_THAT(image, Each(level));
    }
  }
}

}  // namespace
}  // namespace data
