#include "base/picture.h"

#include <png.h>

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace base {
namespace {

constexpr int kGlyphColumns = 5, kGlyphRows = 8;
constexpr int kScale = 2;  // Pixels of a glyph's dot.

// Columns from left to right; the lowest bit is the highest dot.
using Glyph = std::array<uint8_t, kGlyphColumns>;

constexpr Glyph kDigits[] = {{0x3E, 0x51, 0x49, 0x45, 0x3E}, {0x00, 0x42, 0x7F, 0x40, 0x00},
                             {0x72, 0x49, 0x49, 0x49, 0x46}, {0x21, 0x41, 0x49, 0x4D, 0x33},
                             {0x18, 0x14, 0x12, 0x7F, 0x10}, {0x27, 0x45, 0x45, 0x45, 0x39},
                             {0x3C, 0x4A, 0x49, 0x49, 0x31}, {0x41, 0x21, 0x11, 0x09, 0x07},
                             {0x36, 0x49, 0x49, 0x49, 0x36}, {0x46, 0x49, 0x49, 0x29, 0x1E}};

constexpr Glyph kLetters[] = {
    {0x20, 0x54, 0x54, 0x78, 0x40}, {0x7F, 0x28, 0x44, 0x44, 0x38}, {0x38, 0x44, 0x44, 0x44, 0x28},
    {0x38, 0x44, 0x44, 0x28, 0x7F}, {0x38, 0x54, 0x54, 0x54, 0x18}, {0x00, 0x08, 0x7E, 0x09, 0x02},
    {0x18, 0xA4, 0xA4, 0x9C, 0x78}, {0x7F, 0x08, 0x04, 0x04, 0x78}, {0x00, 0x44, 0x7D, 0x40, 0x00},
    {0x20, 0x40, 0x40, 0x3D, 0x00}, {0x7F, 0x10, 0x28, 0x44, 0x00}, {0x00, 0x41, 0x7F, 0x40, 0x00},
    {0x7C, 0x04, 0x78, 0x04, 0x78}, {0x7C, 0x08, 0x04, 0x04, 0x78}, {0x38, 0x44, 0x44, 0x44, 0x38},
    {0xFC, 0x18, 0x24, 0x24, 0x18}, {0x18, 0x24, 0x24, 0x18, 0xFC}, {0x7C, 0x08, 0x04, 0x04, 0x08},
    {0x48, 0x54, 0x54, 0x54, 0x24}, {0x04, 0x04, 0x3F, 0x44, 0x24}, {0x3C, 0x40, 0x40, 0x20, 0x7C},
    {0x1C, 0x20, 0x40, 0x20, 0x1C}, {0x3C, 0x40, 0x30, 0x40, 0x3C}, {0x44, 0x28, 0x10, 0x28, 0x44},
    {0x4C, 0x90, 0x90, 0x90, 0x7C}, {0x44, 0x64, 0x54, 0x4C, 0x44}};

Glyph GlyphOf(char c) {
  if (c >= '0' && c <= '9') return kDigits[c - '0'];
  if (c >= 'a' && c <= 'z') return kLetters[c - 'a'];
  if (c == '_') return {0x40, 0x40, 0x40, 0x40, 0x40};
  return {};
}

}  // namespace

Picture::Picture(int width, int height)
    : width_(width), height_(height), rgb_(size_t{3} * width * height, 0xFF) {}

Picture::Color Picture::At(int x, int y) const {
  const uint8_t* pixel = &rgb_[3 * (static_cast<size_t>(y) * width_ + x)];
  return {pixel[0], pixel[1], pixel[2]};
}

void Picture::Fill(int x, int y, int width, int height, Color color) {
  for (int py = std::max(y, 0); py < std::min(y + height, height_); ++py) {
    for (int px = std::max(x, 0); px < std::min(x + width, width_); ++px) {
      std::copy(color.begin(), color.end(), &rgb_[3 * (static_cast<size_t>(py) * width_ + px)]);
    }
  }
}

void Picture::Word(int x, int y, absl::string_view word, Color color) {
  for (const char c : word) {
    const Glyph glyph = GlyphOf(c);
    for (int column = 0; column < kGlyphColumns; ++column) {
      for (int row = 0; row < kGlyphRows; ++row) {
        if (glyph[column] >> row & 1) {
          Fill(x + kScale * column, y + kScale * row, kScale, kScale, color);
        }
      }
    }
    x += kLetterWidth;
  }
}

absl::StatusOr<std::string> Picture::Png() const {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = width_;
  image.height = height_;
  image.format = PNG_FORMAT_RGB;
  const auto error = [&image] {
    return absl::InternalError(absl::StrCat("libpng: ", image.message));
  };
  png_alloc_size_t size = 0;
  if (!png_image_write_to_memory(&image, nullptr, &size, /*convert_to_8_bit=*/0, rgb_.data(),
                                 /*row_stride=*/0, /*colormap=*/nullptr)) {
    return error();
  }
  std::string png(size, '\0');
  if (!png_image_write_to_memory(&image, png.data(), &size, 0, rgb_.data(), 0, nullptr)) {
    return error();
  }
  png.resize(size);
  return png;
}

}  // namespace base
