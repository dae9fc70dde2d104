#include "data/pixels/mixing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

constexpr int kChannels = 3;
constexpr double kMaxParameter = 4;  // Up to which Jöhnk's method takes few tries.

// Of Beta(a, a), by Jöhnk (1964).
double DrawBeta(double a, Random& random) {
  while (true) {
    const double x = std::pow(random.Uniform(), 1 / a), y = std::pow(random.Uniform(), 1 / a);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

// Multiples of 1/1024, so that the last bit of a processor's logarithm changes nothing.
int64_t ToShare(double value) { return std::llround(value * Mix::kWhole); }

Rect DrawBox(double area, int size, Random& random) {
  const int half = static_cast<int>(0.5 * std::sqrt(area) * size);
  const int x = static_cast<int>(random.Below(size)), y = static_cast<int>(random.Below(size));
  const int x0 = std::max(0, x - half), x1 = std::min(size, x + half);
  const int y0 = std::max(0, y - half), y1 = std::min(size, y + half);
  return {x0, y0, x1 - x0, y1 - y0};
}

template <typename T, typename Average>
void Blend(size_t count, T* a, T* b, Average average) {
  for (size_t i = 0; i < count; ++i) {
    const T x = a[i], y = b[i];
    a[i] = average(x, y);
    b[i] = average(y, x);
  }
}

// `image` has `planes` planes, each of size x size values of `pixel` bytes.
void Swap(const Rect& rect, int size, int planes, size_t pixel, uint8_t* a, uint8_t* b) {
  for (int plane = 0; plane < planes; ++plane) {
    for (int y = rect.y; y < rect.y + rect.height; ++y) {
      const size_t first = ((size_t{1} * plane * size + y) * size + rect.x) * pixel;
      std::swap_ranges(a + first, a + first + rect.width * pixel, b + first);
    }
  }
}

}  // namespace

absl::Status CheckMixing(const Mixing& mixing) {
  for (const auto& [value, name] : {std::pair(mixing.mixup, "mixup"), {mixing.cutmix, "cutmix"}}) {
    if (!(value >= 0 && value <= kMaxParameter)) {
      return absl::InvalidArgumentError(absl::StrCat("mixing: ", name, ": not 0 to 4"));
    }
  }
  return absl::OkStatus();
}

Mix DrawMix(const Mixing& mixing, int size, Random& random) {
  const bool both = mixing.mixup > 0 && mixing.cutmix > 0;
  if (mixing.cutmix == 0 || (both && random.Below(2) == 0)) {
    return {.share = ToShare(DrawBeta(mixing.mixup, random))};
  }
  const Rect box = DrawBox(1 - DrawBeta(mixing.cutmix, random), size, random);
  const double area = static_cast<double>(box.width) * box.height / size / size;
  return {.share = Mix::kWhole - ToShare(area), .swapped = box};
}

void MixImages(const Mix& mix, PixelFormat format, int size, uint8_t* a, uint8_t* b) {
  const bool is_float = format != PixelFormat::kUint8Nhwc;
  if (mix.swapped.width > 0 && mix.swapped.height > 0) {
    if (format == PixelFormat::kFloat32Nchw) {
      Swap(mix.swapped, size, kChannels, sizeof(float), a, b);
    } else {
      Swap(mix.swapped, size, 1, kChannels * (is_float ? sizeof(float) : 1), a, b);
    }
    return;
  }
  if (mix.share == Mix::kWhole) return;
  const size_t count = size_t{kChannels} * size * size;
  if (is_float) {
    const float share = static_cast<float>(mix.share) / Mix::kWhole;
    Blend(count, reinterpret_cast<float*>(a), reinterpret_cast<float*>(b),
          [share](float x, float y) { return y + share * (x - y); });
  } else {
    const int share = static_cast<int>(mix.share);
    Blend(count, a, b, [share](int x, int y) {
      return static_cast<uint8_t>((share * x + (Mix::kWhole - share) * y + Mix::kWhole / 2) /
                                  Mix::kWhole);
    });
  }
}

}  // namespace data
