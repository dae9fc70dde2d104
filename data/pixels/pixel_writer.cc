#include "data/pixels/pixel_writer.h"

#include <emmintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace data {
namespace {

constexpr int kChannels = 3;
constexpr float kWhite = 255;

}  // namespace

PixelScale::PixelScale(const Normalization& normalization) {
  for (int c = 0; c < kChannels; ++c) {
    scale[c] = 1 / (kWhite * normalization.std[c]);
    offset[c] = -normalization.mean[c] / normalization.std[c];
  }
}

PixelWriter::PixelWriter(PixelFormat format, const Normalization& normalization, int width,
                         int height)
    : format_(format),
      normalization_(normalization),
      width_(width),
      height_(height),
      fixed_point_(normalization) {
  for (float& scale : fixed_point_.scale) scale /= 1 << kPixelShift;
}

size_t PixelWriter::image_size() const {
  const size_t values = size_t{kChannels} * width_ * height_;
  return format_ == PixelFormat::kUint8Nhwc ? values : values * sizeof(float);
}

void PixelWriter::WriteRow(const int32_t* pixels, int y, uint8_t* image) const {
  float* floats = reinterpret_cast<float*>(image);
  switch (format_) {
    case PixelFormat::kFloat32Nchw:
      return WriteNchw(pixels, floats + y * width_);
    case PixelFormat::kFloat32Nhwc:
      return WriteNhwc(pixels, floats + y * width_ * kChannels);
    case PixelFormat::kUint8Nhwc:
      return WriteUint8(pixels, image + y * width_ * kChannels);
  }
}

void PixelWriter::WriteNchw(const int32_t* pixels, float* row) const {
  const __m128 scale = _mm_loadu_ps(fixed_point_.scale.data()),
               offset = _mm_loadu_ps(fixed_point_.offset.data());
  const auto normalized = [&](int x) {
    const __m128i pixel = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels + 4 * x));
    return _mm_add_ps(_mm_mul_ps(_mm_cvtepi32_ps(pixel), scale), offset);
  };
  float* const red = row;
  float* const green = red + width_ * height_;
  float* const blue = green + width_ * height_;
  int x = 0;
  for (; x + 4 <= width_; x += 4) {
    __m128 p0 = normalized(x), p1 = normalized(x + 1), p2 = normalized(x + 2),
           p3 = normalized(x + 3);
    _MM_TRANSPOSE4_PS(p0, p1, p2, p3);
    _mm_storeu_ps(red + x, p0);
    _mm_storeu_ps(green + x, p1);
    _mm_storeu_ps(blue + x, p2);
  }
  for (; x < width_; ++x) {
    float pixel[4];
    _mm_storeu_ps(pixel, normalized(x));
    red[x] = pixel[0];
    green[x] = pixel[1];
    blue[x] = pixel[2];
  }
}

void PixelWriter::WriteNhwc(const int32_t* pixels, float* row) const {
  const __m128 scale = _mm_loadu_ps(fixed_point_.scale.data()),
               offset = _mm_loadu_ps(fixed_point_.offset.data());
  const int last = width_ - 1;
  for (int x = 0; x <= last; ++x) {
    const __m128i pixel = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels + 4 * x));
    const __m128 value = _mm_add_ps(_mm_mul_ps(_mm_cvtepi32_ps(pixel), scale), offset);
    // The next pixel overwrites the fourth number; the last pixel has none behind it.
    float* const to = row + kChannels * x;
    if (x < last) {
      _mm_storeu_ps(to, value);
    } else {
      _mm_storel_pi(reinterpret_cast<__m64*>(to), value);
      _mm_store_ss(to + 2, _mm_movehl_ps(value, value));
    }
  }
}

void PixelWriter::WriteUint8(const int32_t* pixels, uint8_t* row) const {
  const __m128i half = _mm_set1_epi32(1 << (kPixelShift - 1));
  const auto rounded = [&](int x) {
    const __m128i pixel = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels + 4 * x));
    return _mm_srai_epi32(_mm_add_epi32(pixel, half), kPixelShift);
  };
  int x = 0;
  for (; x + 4 < width_; x += 4) {
    const __m128i low = _mm_packs_epi32(rounded(x), rounded(x + 1));
    const __m128i high = _mm_packs_epi32(rounded(x + 2), rounded(x + 3));
    uint32_t rgbx[4];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(rgbx), _mm_packus_epi16(low, high));
    // The next pixel overwrites the fourth byte.
    for (int i = 0; i < 4; ++i) std::memcpy(row + kChannels * (x + i), &rgbx[i], sizeof(rgbx[i]));
  }
  for (; x < width_; ++x) {
    const __m128i pixel = _mm_packs_epi32(rounded(x), rounded(x));
    const int rgbx = _mm_cvtsi128_si32(_mm_packus_epi16(pixel, pixel));
    std::memcpy(row + kChannels * x, &rgbx, kChannels);
  }
}

void PixelWriter::Erase(const Rect& rect, uint8_t* image) const {
  float* const floats = reinterpret_cast<float*>(image);
  for (int y = rect.y; y < rect.y + rect.height; ++y) {
    for (int c = 0; c < kChannels; ++c) {
      if (format_ == PixelFormat::kFloat32Nchw) {
        float* const row = floats + (c * height_ + y) * width_;
        std::fill(row + rect.x, row + rect.x + rect.width, 0.0f);
        continue;
      }
      for (int x = rect.x; x < rect.x + rect.width; ++x) {
        const int at = (y * width_ + x) * kChannels + c;
        if (format_ == PixelFormat::kFloat32Nhwc) {
          floats[at] = 0;
        } else {
          image[at] = std::lround(normalization_.mean[c] * kWhite);
        }
      }
    }
  }
}

}  // namespace data
