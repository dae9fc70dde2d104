// Rectangles, and decoded pixels.
#ifndef DATA_PIXELS_PIXEL_REGION_H_
#define DATA_PIXELS_PIXEL_REGION_H_

#include <cstddef>
#include <cstdint>

namespace data {

// The most pixels an image may declare: 64 Mi, above ImageNet's largest (61 million).
inline constexpr int64_t kMaxPixels = int64_t{1} << 26;

struct Rect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// Readable bytes behind a region's last pixel, so that vector loads need no special last one.
inline constexpr size_t kPixelPadding = 32;

// Pixels of four bytes: red, green, blue and one that says nothing. `rect` is the part of the image
// (after any shrinking by the decoder) that is here. kPixelPadding bytes may be read behind it.
struct PixelRegion {
  const uint8_t* pixels = nullptr;
  size_t stride = 0;  // bytes from row to row
  Rect rect;
};

}  // namespace data

#endif  // DATA_PIXELS_PIXEL_REGION_H_
