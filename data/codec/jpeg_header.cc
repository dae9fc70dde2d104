#include "data/codec/jpeg_header.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/codec/jpeg_markers.h"

namespace data {
namespace {

int Big16(absl::Span<const uint8_t> bytes, size_t at) { return bytes[at] << 8 | bytes[at + 1]; }

bool IsFrameHeader(uint8_t marker) {  // SOF0-15 less DHT, JPG and DAC
  constexpr uint8_t kExtension = 0xc8;
  return marker >= kBaselineFrame && marker <= kLastFrame && marker != kHuffmanTables &&
         marker != kExtension && marker != kArithmeticTables;
}

// Of the segment at which `walk` stands, which has six bytes at least.
absl::StatusOr<JpegHeader> ParseFrame(const JpegHeaderWalk& walk) {
  const absl::Span<const uint8_t> frame = walk.content();
  JpegHeader header;
  header.sequential = walk.marker() == kBaselineFrame || walk.marker() == kExtendedFrame;
  header.height_offset = walk.at() + 5;
  header.height = Big16(frame, 1);
  header.width = Big16(frame, 3);
  header.components = frame[5];
  if (frame.size() < size_t{6} + 3 * header.components || header.components == 0) {
    return absl::DataLossError("a JPEG frame header of the wrong length");
  }
  int across = 0, down = 0;
  for (int i = 0; i < header.components; ++i) {
    const uint8_t sampling = frame[7 + 3 * i];
    across = std::max(across, sampling >> 4);
    down = std::max(down, sampling & 15);
    header.mcu_blocks += (sampling >> 4) * (sampling & 15);
  }
  // A single component is not interleaved: its MCU is one block (T.81, A.2.2).
  header.mcu_width = header.components == 1 ? 8 : 8 * across;
  header.mcu_height = header.components == 1 ? 8 : 8 * down;
  if (across == 0 || down == 0) return absl::DataLossError("a JPEG without samples");
  if (header.width == 0 || header.height == 0) return absl::DataLossError("a JPEG without pixels");
  return header;
}

}  // namespace

absl::StatusOr<JpegHeader> ParseJpegHeader(absl::Span<const uint8_t> jpeg) {
  if (jpeg.size() < 4 || jpeg[0] != 0xff || jpeg[1] != kStartOfImage) {
    return absl::DataLossError("neither a JPEG nor a PNG");
  }
  JpegHeaderWalk walk(jpeg);
  while (walk.Next() && walk.marker() != kScan) {
    if (!IsFrameHeader(walk.marker())) continue;
    if (walk.content().size() < 6) break;
    return ParseFrame(walk);
  }
  return absl::DataLossError(
      absl::StrCat("a JPEG without a frame header (looked up to byte ", walk.at(), ")"));
}

}  // namespace data
