// A sample as it is stored: its bytes, and what is known about them without decoding.
#ifndef DATA_IO_ENCODED_SAMPLE_H_
#define DATA_IO_ENCODED_SAMPLE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace data {

// How the bytes of a sample are to be read. The values are those of the shard format.
enum class Encoding : uint8_t {
  kJpeg = 0,
  kRawRgb = 1,  // height x width x 3, one byte each
  kPng = 2,
};

// Where the entropy-coded segments between a JPEG's restart markers stand. Each MCU row is
// `columns` segments of equally many MCUs; offsets[r * columns + c] is the first byte of a segment,
// counted from the JPEG's first byte, and the last entry is the first byte after EOI: so a segment
// and the marker behind it end where the next entry points. Empty where nothing is known.
struct RestartIndex {
  int rows = 0;
  int columns = 0;
  absl::Span<const uint32_t> offsets;  // rows * columns + 1
};

struct EncodedSample {
  Encoding encoding = Encoding::kJpeg;
  absl::Span<const uint8_t> bytes;
  // Pixels; 0 where only the decoder can tell.
  int width = 0;
  int height = 0;
  RestartIndex restarts;
  // Exactly these bytes were once decoded whole without an error or a warning of damage (a checksum
  // vouches for it). Otherwise part of an image must not be used before all of it was decoded.
  bool verified = false;
  // Of Dataset::fields(), in their order, beside `bytes`: bytes as they are, numbers little-endian.
  // A span without data: the sample has no such field.
  std::vector<absl::Span<const uint8_t>> fields;
};

}  // namespace data

#endif  // DATA_IO_ENCODED_SAMPLE_H_
