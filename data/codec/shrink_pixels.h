// Shrinks decoded pixels by 2, 4 or 8 through means of squares: what a device does that cannot
// shrink while it decodes. The same whole numbers wherever it is compiled, for nvcc too.
#ifndef DATA_CODEC_SHRINK_PIXELS_H_
#define DATA_CODEC_SHRINK_PIXELS_H_

#include <cstddef>
#include <cstdint>

#include "data/pixels/pixel_region.h"

#ifdef __CUDACC__
#define NQDARTS_ON_BOTH __host__ __device__
#else
#define NQDARTS_ON_BOTH
#endif

namespace data {

struct ShrinkJob {
  const uint8_t* rgb = nullptr;  // 3 bytes a pixel, rows without gaps
  Rect source;                   // the part of the image that `rgb` is
  // The part of the image to write, in pixels of 2^log2_shrink, which lie inside of `source` as far
  // as they lie in the image of image_width x image_height.
  Rect target;
  int log2_shrink = 0;
  int image_width = 0;
  int image_height = 0;
};

// Writes pixel (x, y) of job.target, counted from its corner, to `rgbx`, 4 bytes a pixel, rows
// without gaps. Each value is the mean of the image's pixels there, rounded to the nearest.
NQDARTS_ON_BOTH inline void ShrinkPixel(const ShrinkJob& job, int x, int y, uint8_t* rgbx) {
  const int side = 1 << job.log2_shrink;
  const int left = (job.target.x + x) * side, top = (job.target.y + y) * side;
  const int right = left + side < job.image_width ? left + side : job.image_width;
  const int bottom = top + side < job.image_height ? top + side : job.image_height;
  uint32_t sums[3] = {0, 0, 0};
  for (int v = top; v < bottom; ++v) {
    const uint8_t* from = job.rgb + 3 * (static_cast<size_t>(v - job.source.y) * job.source.width +
                                         (left - job.source.x));
    for (int u = left; u < right; ++u, from += 3) {
      for (int c = 0; c < 3; ++c) sums[c] += from[c];
    }
  }
  const uint32_t count = (right - left) * (bottom - top);
  uint8_t* const to = rgbx + 4 * (static_cast<size_t>(y) * job.target.width + x);
  for (int c = 0; c < 3; ++c) to[c] = (sums[c] + count / 2) / count;
  to[3] = 0;
}

}  // namespace data

#endif  // DATA_CODEC_SHRINK_PIXELS_H_
