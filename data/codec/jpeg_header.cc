#include "data/codec/jpeg_header.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace data {
namespace {

int Big16(absl::Span<const uint8_t> bytes, size_t at) { return bytes[at] << 8 | bytes[at + 1]; }

bool IsFrameHeader(uint8_t marker) {  // SOF0-15 less DHT, JPG and DAC
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

absl::StatusOr<JpegHeader> ParseFrame(absl::Span<const uint8_t> jpeg, size_t segment, int length) {
  JpegHeader header;
  header.sequential = jpeg[segment - 1] == 0xc0 || jpeg[segment - 1] == 0xc1;
  header.height_offset = segment + 3;
  header.height = Big16(jpeg, segment + 3);
  header.width = Big16(jpeg, segment + 5);
  header.components = jpeg[segment + 7];
  if (length < 8 + 3 * header.components || header.components == 0) {
    return absl::DataLossError("a JPEG frame header of the wrong length");
  }
  int across = 0, down = 0;
  for (int i = 0; i < header.components; ++i) {
    const uint8_t sampling = jpeg[segment + 9 + 3 * i];
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
  if (jpeg.size() < 4 || jpeg[0] != 0xff || jpeg[1] != 0xd8) {
    return absl::DataLossError("neither a JPEG nor a PNG");
  }
  size_t at = 2;
  while (at + 4 <= jpeg.size()) {
    if (jpeg[at] != 0xff) break;
    const uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == 0xd9 || marker == 0xda) break;  // EOI or a scan before any frame
    const int length = Big16(jpeg, at + 2);
    if (length < 2 || at + 2 + length > jpeg.size()) break;
    if (IsFrameHeader(marker)) {
      if (length < 8) break;
      return ParseFrame(jpeg, at + 2, length);
    }
    at += 2 + length;
  }
  return absl::DataLossError(
      absl::StrCat("a JPEG without a frame header (looked up to byte ", at, ")"));
}

}  // namespace data
