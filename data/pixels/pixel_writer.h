// The last step of every image: rows of pixels into a batch, in the batch's format.
#ifndef DATA_PIXELS_PIXEL_WRITER_H_
#define DATA_PIXELS_PIXEL_WRITER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "data/pixels/pixel_region.h"

namespace data {

enum class PixelFormat {
  kFloat32Nchw,  // normalized
  kFloat32Nhwc,  // normalized: the memory order of torch's channels_last
  kUint8Nhwc,
};

// Normalized value = (v / 255 - mean) / std for a pixel value v of 0..255, per channel.
struct Normalization {
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> std = {1, 1, 1};
};

// The same as writers compute it: v · scale + offset, each rounded to float32. [3] is unused.
struct PixelScale {
  explicit PixelScale(const Normalization& normalization);

  std::array<float, 4> scale{};
  std::array<float, 4> offset{};
};

// Fixed-point pixels: the value 1 of 0..255 is 1 << kPixelShift.
inline constexpr int kPixelShift = 22;

// Writes images of width x height pixels.
class PixelWriter {
 public:
  PixelWriter(PixelFormat format, const Normalization& normalization, int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }

  // Bytes of an image.
  size_t image_size() const;

  // Row `y` of `image` from `width` pixels of four fixed-point numbers (red, green, blue, unused).
  void WriteRow(const int32_t* pixels, int y, uint8_t* image) const;

  // Sets `rect` to normalized zero, which as uint8 is the mean rounded.
  void Erase(const Rect& rect, uint8_t* image) const;

 private:
  void WriteNchw(const int32_t* pixels, float* row) const;
  void WriteNhwc(const int32_t* pixels, float* row) const;
  void WriteUint8(const int32_t* pixels, uint8_t* row) const;

  const PixelFormat format_;
  const Normalization normalization_;
  const int width_;
  const int height_;
  PixelScale fixed_point_;
};

}  // namespace data

#endif  // DATA_PIXELS_PIXEL_WRITER_H_
