// What the frame header of a JPEG says, found without a decoder.
#ifndef DATA_CODEC_JPEG_HEADER_H_
#define DATA_CODEC_JPEG_HEADER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace data {

struct JpegHeader {
  int width = 0;
  int height = 0;
  int components = 0;
  int mcu_width = 0;  // pixels
  int mcu_height = 0;
  int mcu_blocks = 0;  // of an interleaved MCU; baseline allows 10
  // Huffman-coded and sequential (SOF0, SOF1).
  bool sequential = false;
  // Of the frame header's height field (two bytes, big-endian; the width follows).
  size_t height_offset = 0;
};

// Walks the markers up to the frame header (ITU-T T.81, B.2). DataLoss if there is none.
absl::StatusOr<JpegHeader> ParseJpegHeader(absl::Span<const uint8_t> jpeg);

}  // namespace data

#endif  // DATA_CODEC_JPEG_HEADER_H_
