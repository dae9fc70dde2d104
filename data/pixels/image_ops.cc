#include "data/pixels/image_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "data/pixels/color_kernels.h"

namespace data {
namespace {

constexpr int kFractionBits = kColorBits;
constexpr int64_t kOne = int64_t{1} << kFractionBits;

int64_t ToFixed(double value) { return std::llround(value * kOne); }

int64_t PixelsOf(RgbImage image) { return int64_t{image.width} * image.height; }

uint8_t Cut(int64_t value) { return static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255)); }

// `other` in levels times kOne.
uint8_t Blend(int64_t factor, int64_t value, int64_t other) {
  return Cut((factor * value + (((kOne - factor) * other) >> kFractionBits)) >> kFractionBits);
}

using Levels = std::array<uint8_t, 256>;

void Look(const Levels& levels, int channel, RgbImage image) {
  for (size_t i = channel; i < image.size(); i += 3) image.pixels[i] = levels[image.pixels[i]];
}

void Look(const Levels& levels, RgbImage image) {
  for (size_t i = 0; i < image.size(); ++i) image.pixels[i] = levels[image.pixels[i]];
}

// The levels that `level` makes of 0..255.
template <typename Level>
Levels MakeLevels(Level level) {
  Levels levels;
  for (int i = 0; i < 256; ++i) levels[i] = Cut(level(i));
  return levels;
}

std::array<int64_t, 256> Histogram(int channel, RgbImage image) {
  std::array<int64_t, 256> counts{};
  for (size_t i = channel; i < image.size(); i += 3) ++counts[image.pixels[i]];
  return counts;
}

// A copy in `scratch`.
const uint8_t* Copy(RgbImage image, ScratchBuffer& scratch) {
  uint8_t* const copy = scratch.Reserve(image.size());
  std::memcpy(copy, image.pixels, image.size());
  return copy;
}

}  // namespace

void AdjustBrightness(double factor, RgbImage image) {
  BlendWithLevel(static_cast<int32_t>(ToFixed(factor)), 0, image.pixels, image.size());
}

void AdjustContrast(double factor, RgbImage image) {
  const int64_t pixels = PixelsOf(image);
  const int64_t mean = SumOfGrays(image.pixels, pixels) * kOne / pixels;
  const int64_t fixed = ToFixed(factor), rest = ((kOne - fixed) * mean) >> kFractionBits;
  BlendWithLevel(static_cast<int32_t>(fixed), static_cast<int32_t>(rest), image.pixels,
                 image.size());
}

void AdjustSaturation(double factor, RgbImage image) {
  BlendWithGrays(static_cast<int32_t>(ToFixed(factor)), image.pixels, PixelsOf(image));
}

void AdjustSharpness(double factor, RgbImage image, ScratchBuffer& scratch) {
  constexpr int kCenterWeight = 5, kWeights = 13;
  const uint8_t* const from = Copy(image, scratch);
  const int64_t fixed = ToFixed(factor);
  const ptrdiff_t stride = ptrdiff_t{3} * image.width;
  for (int y = 1; y + 1 < image.height; ++y) {
    for (ptrdiff_t i = y * stride + 3; i < (y + 1) * stride - 3; ++i) {
      int sum = (kCenterWeight - 1) * from[i];
      for (const ptrdiff_t row : {i - stride, i, i + stride}) {
        sum += from[row - 3] + from[row] + from[row + 3];
      }
      const int64_t blurred = (2 * sum + kWeights) / (2 * kWeights);  // Rounded.
      image.pixels[i] = Blend(fixed, from[i], blurred << kFractionBits);
    }
  }
}

void AdjustHue(double turns, RgbImage image) {
  constexpr int64_t kTurn = 6 * kOne;
  const int64_t sixths = (ToFixed(6 * turns) + 2 * kTurn) % kTurn;
  TurnHues(static_cast<int32_t>(sixths), image.pixels, PixelsOf(image));
}

void Posterize(int bits, RgbImage image) {
  const int mask = 0xff << (8 - bits);
  Look(MakeLevels([&](int level) { return level & mask; }), image);
}

void Solarize(int threshold, RgbImage image) {
  Look(MakeLevels([&](int level) { return level >= threshold ? 255 - level : level; }), image);
}

void AutoContrast(RgbImage image) {
  for (int channel = 0; channel < 3; ++channel) {
    int low = 255, high = 0;
    for (size_t i = channel; i < image.size(); i += 3) {
      low = std::min<int>(low, image.pixels[i]);
      high = std::max<int>(high, image.pixels[i]);
    }
    if (low >= high) continue;
    Look(MakeLevels([&](int level) { return (level - low) * 255 / (high - low); }), channel, image);
  }
}

void Equalize(RgbImage image) {
  for (int channel = 0; channel < 3; ++channel) {
    const std::array<int64_t, 256> counts = Histogram(channel, image);
    int last = 255;  // The highest level there is, whose pixels do not count.
    while (last > 0 && counts[last] == 0) --last;
    const int64_t others = int64_t{image.width} * image.height - counts[last];
    const int64_t step = others / 255;
    if (step == 0) continue;
    int64_t below = 0;
    Look(MakeLevels([&](int level) {
           const int64_t result = (below + step / 2) / step;
           below += counts[level];
           return level == 0 ? 0 : result;
         }),
         channel, image);
  }
}

AffineMap Rotation(double degrees, int width, int height) {
  const double angle = degrees * M_PI / 180;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double x = width / 2.0, y = height / 2.0;
  return {.xx = cosine,
          .xy = -sine,
          .x0 = x - cosine * x + sine * y,
          .yx = sine,
          .yy = cosine,
          .y0 = y - sine * x - cosine * y};
}

void Warp(const AffineMap& map, RgbImage image, ScratchBuffer& scratch) {
  const uint8_t* const from = Copy(image, scratch);
  const int64_t xx = ToFixed(map.xx), xy = ToFixed(map.xy), yx = ToFixed(map.yx),
                yy = ToFixed(map.yy);
  uint8_t* to = image.pixels;
  for (int y = 0; y < image.height; ++y) {
    // Twice the place, as pixel centres are at halves.
    int64_t u = xx + xy * (2 * y + 1) + 2 * ToFixed(map.x0);
    int64_t v = yx + yy * (2 * y + 1) + 2 * ToFixed(map.y0);
    for (int x = 0; x < image.width; ++x, to += 3, u += 2 * xx, v += 2 * yx) {
      const int64_t column = u >> (kFractionBits + 1), row = v >> (kFractionBits + 1);
      if (column >= 0 && column < image.width && row >= 0 && row < image.height) {
        std::copy_n(from + 3 * (row * image.width + column), 3, to);
      } else {
        std::fill_n(to, 3, uint8_t{0});
      }
    }
  }
}

}  // namespace data
