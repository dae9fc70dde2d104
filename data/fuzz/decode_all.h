// What every fuzz target does with a dataset that opened.
#ifndef DATA_FUZZ_DECODE_ALL_H_
#define DATA_FUZZ_DECODE_ALL_H_

#include <cstdint>
#include <utility>

#include "data/codec/image_decoder.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/pixel_region.h"
#include "data/sources/dataset.h"

namespace data {

// Decodes a sample whole, and its middle at half the size, and touches the pixels.
inline void Decode(EncodedSample sample, ImageDecoder& decoder) {
  constexpr int64_t kPixels = 1 << 20;  // larger ones only take time
  if (!ImageDecoder::FindSize(sample).ok()) return;
  if (int64_t{sample.width} * sample.height > kPixels) return;
  const Rect all = {0, 0, sample.width, sample.height};
  const Rect middle = {sample.width / 4, sample.height / 4, (sample.width + 1) / 2,
                       (sample.height + 1) / 2};
  for (const auto& [rect, shrink] : {std::pair(all, 0), std::pair(middle, 1)}) {
    const auto region =
        decoder.Decode(sample, rect, sample.encoding == Encoding::kJpeg ? shrink : 0);
    if (!region.ok()) continue;
    volatile uint8_t last = 0;
    for (int y = 0; y < region->rect.height; ++y) {
      last = region->pixels[y * region->stride + 4 * region->rect.width - 1];
    }
    (void)last;
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
