#include "data/pixels/pixel_writer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "data/pixels/random.h"
#include "gtest/gtest.h"

namespace data {
namespace {

constexpr int kHeight = 3;
constexpr Normalization kNormalization = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

// Levels of 0 to 255 with a fraction, four to a pixel; the first ones lie at and beyond the ends.
std::vector<double> Levels(int width) {
  std::vector<double> levels = {0, 255, 0.49, 0, 254.5, 255.3, -0.25, 0};
  levels.resize(4 * width * kHeight);
  Random random(width);
  for (size_t i = 8; i < levels.size(); ++i) levels[i] = 255 * random.Uniform();
  return levels;
}

// Writes the levels as an image, with a byte behind it that must stay.
std::vector<uint8_t> Write(const PixelWriter& writer, const std::vector<double>& levels) {
  constexpr uint8_t kUntouched = 0xa5;
  std::vector<uint8_t> image(writer.image_size() + 1, kUntouched);
  for (int y = 0; y < kHeight; ++y) {
    std::vector<int32_t> row(4 * writer.width());
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = std::lround(levels[y * row.size() + i] * (1 << kPixelShift));
    }
    writer.WriteRow(row.data(), y, image.data());
  }
  EXPECT_EQ(image.back(), kUntouched);
  image.pop_back();
  return image;
}

// Calls check(level, channel, place in CHW order, place in HWC order) for every number of an image.
template <typename Check>
void ForEach(const std::vector<double>& levels, int width, const Check& check) {
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        check(levels[4 * (y * width + x) + c], c, (c * kHeight + y) * width + x,
              (y * width + x) * 3 + c);
      }
    }
  }
}

// Widths around the number of pixels that are written at once.
TEST(PixelWriterTest, EveryFormat) {
  for (int width = 2; width < 12; ++width) {
    const std::vector<double> levels = Levels(width);
    const auto write = [&](PixelFormat format) {
      return Write(PixelWriter(format, kNormalization, width, kHeight), levels);
    };
    const std::vector<uint8_t> nchw = write(PixelFormat::kFloat32Nchw);
    const std::vector<uint8_t> nhwc = write(PixelFormat::kFloat32Nhwc);
    const std::vector<uint8_t> bytes = write(PixelFormat::kUint8Nhwc);
    ASSERT_EQ(nchw.size(), 4 * bytes.size());
    const auto* planes = reinterpret_cast<const float*>(nchw.data());
    const auto* pixels = reinterpret_cast<const float*>(nhwc.data());
    ForEach(levels, width, [&](double level, int c, int chw, int hwc) {
      const double normalized = (level / 255 - kNormalization.mean[c]) / kNormalization.std[c];
      EXPECT_NEAR(planes[chw], normalized, 2e-6);
      EXPECT_NEAR(pixels[hwc], normalized, 2e-6);
      EXPECT_EQ(bytes[hwc], std::clamp(std::lround(level), 0l, 255l)) << level;
    });
  }
}

TEST(PixelWriterTest, ErasedIsNormalizedZero) {
  constexpr int kWidth = 5;
  constexpr Rect kErased = {1, 1, 3, 2};
  const std::vector<double> levels = Levels(kWidth);
  for (const PixelFormat format :
       {PixelFormat::kFloat32Nchw, PixelFormat::kFloat32Nhwc, PixelFormat::kUint8Nhwc}) {
    const PixelWriter writer(format, kNormalization, kWidth, kHeight);
    const std::vector<uint8_t> before = Write(writer, levels);
    std::vector<uint8_t> after = before;
    writer.Erase(kErased, after.data());
    const auto number = [format](const std::vector<uint8_t>& image, int chw, int hwc) -> float {
      if (format == PixelFormat::kUint8Nhwc) return image[hwc];
      const auto* floats = reinterpret_cast<const float*>(image.data());
      return floats[format == PixelFormat::kFloat32Nchw ? chw : hwc];
    };
    ForEach(levels, kWidth, [&](double, int c, int chw, int hwc) {
      const int x = hwc / 3 % kWidth, y = hwc / 3 / kWidth;
      const bool inside = x >= 1 && x < 4 && y >= 1 && y < 3;
      const float zero =
          format == PixelFormat::kUint8Nhwc ? std::round(255 * kNormalization.mean[c]) : 0;
      EXPECT_EQ(number(after, chw, hwc), inside ? zero : number(before, chw, hwc));
    });
  }
}

}  // namespace
}  // namespace data
