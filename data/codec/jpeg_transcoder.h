// Makes JPEGs that can be decoded in parts: baseline, with restart markers.
#ifndef DATA_CODEC_JPEG_TRANSCODER_H_
#define DATA_CODEC_JPEG_TRANSCODER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/io/encoded_sample.h"

namespace data {

// A JPEG that owns its bytes and its restart index.
struct RestartJpeg {
  std::vector<uint8_t> bytes;
  int restart_rows = 0;
  int restart_columns = 0;
  std::vector<uint32_t> restart_offsets;

  RestartIndex restarts() const { return {restart_rows, restart_columns, restart_offsets}; }
};

// The same coefficients, so the same pixels, in one interleaved baseline scan with the best Huffman
// tables and restart markers at least at the end of every MCU row. Keeps no metadata but the colour
// space. DataLoss as by JpegDecoder; Unimplemented if baseline has no room for the image's MCU
// (more than 10 blocks).
absl::StatusOr<RestartJpeg> TranscodeJpeg(absl::Span<const uint8_t> jpeg);

// Compresses width x height RGB pixels with libjpeg's `quality` (1 to 100) and 4:2:0.
absl::StatusOr<RestartJpeg> EncodeJpeg(const uint8_t* rgb, int width, int height, int quality);

}  // namespace data

#endif  // DATA_CODEC_JPEG_TRANSCODER_H_
