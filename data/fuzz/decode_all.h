// What every fuzz target does with a dataset that opened.
#ifndef DATA_FUZZ_DECODE_ALL_H_
#define DATA_FUZZ_DECODE_ALL_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "data/codec/image_decoder.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/pixel_region.h"
#include "data/sources/dataset.h"
#include "glog/logging.h"

namespace data {

inline std::vector<uint8_t> PixelsOf(const PixelRegion& region) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < region.rect.height; ++y) {
    const uint8_t* row = region.pixels + y * region.stride;
    pixels.insert(pixels.end(), row, row + 4 * region.rect.width);
  }
  return pixels;
}

// Decodes a sample whole, and its middle at half the size, and once more as one that is trusted,
// which must give the same.
inline void Decode(EncodedSample sample, ImageDecoder& decoder) {
  constexpr int64_t kPixels = 1 << 20;  // larger ones only take time
  if (!ImageDecoder::FindSize(sample).ok()) return;
  if (int64_t{sample.width} * sample.height > kPixels) return;
  const Rect all = {0, 0, sample.width, sample.height};
  const Rect middle = {sample.width / 4, sample.height / 4, (sample.width + 1) / 2,
                       (sample.height + 1) / 2};
  for (const auto& [rect, shrink] : {std::pair(all, 0), std::pair(middle, 1)}) {
    const int log2_shrink = sample.encoding == Encoding::kJpeg ? shrink : 0;
    const auto region = decoder.Decode(sample, rect, log2_shrink);
    const bool sound = region.ok();
    const std::vector<uint8_t> pixels = sound ? PixelsOf(*region) : std::vector<uint8_t>();
    EncodedSample trusted = sample;
    trusted.verified = true;
    const auto again = decoder.Decode(trusted, rect, log2_shrink);
    CHECK(!sound || (again.ok() && PixelsOf(*again) == pixels)) << again.status();
  }
}

// Reads and decodes the samples of a Dataset or a ShardReader.
template <typename Source>
void DecodeAll(const Source& source) {
  ScratchBuffer buffer;
  ImageDecoder decoder;
  for (int64_t i = 0; i < source.size(); ++i) {
    source.name(i);
    const auto sample = source.Read(i, buffer);
    if (!sample.ok()) continue;
    volatile uint8_t last = 0;
    for (const auto& field : sample->fields) last = field.empty() ? 0 : field.back();
    (void)last;
    Decode(*sample, decoder);
  }
}

}  // namespace data

#endif  // DATA_FUZZ_DECODE_ALL_H_
