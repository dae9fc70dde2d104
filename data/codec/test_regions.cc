#include "data/codec/test_regions.h"

#include "gtest/gtest.h"

namespace data {

EncodedSample SampleOf(const Bytes& jpeg, int width, int height, bool verified) {
  EncodedSample sample;
  sample.bytes = jpeg;
  sample.width = width;
  sample.height = height;
  sample.verified = verified;
  return sample;
}

Rect RandomRect(int width, int height, Random& random) {
  Rect rect;
  rect.width = 1 + random.Below(width);
  rect.height = 1 + random.Below(height);
  rect.x = random.Below(width - rect.width + 1);
  rect.y = random.Below(height - rect.height + 1);
  return rect;
}

Rect ShrunkRect(const Rect& rect, int log2_shrink) {
  const int mask = (1 << log2_shrink) - 1;
  return {rect.x >> log2_shrink, rect.y >> log2_shrink,
          ((rect.x + rect.width + mask) >> log2_shrink) - (rect.x >> log2_shrink),
          ((rect.y + rect.height + mask) >> log2_shrink) - (rect.y >> log2_shrink)};
}

Bytes Cut(const PixelRegion& region, const Rect& rect) {
  EXPECT_LE(region.rect.x, rect.x);
  EXPECT_LE(region.rect.y, rect.y);
  EXPECT_GE(region.rect.x + region.rect.width, rect.x + rect.width);
  EXPECT_GE(region.rect.y + region.rect.height, rect.y + rect.height);
  Bytes pixels;
  for (int y = rect.y; y < rect.y + rect.height; ++y) {
    const uint8_t* row =
        region.pixels + (y - region.rect.y) * region.stride + 4 * (rect.x - region.rect.x);
    for (int i = 0; i < 4 * rect.width; ++i) {
      if (i % 4 != 3) pixels.push_back(row[i]);
    }
  }
  return pixels;
}

}  // namespace data
