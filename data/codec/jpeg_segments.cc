#include "data/codec/jpeg_segments.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "data/codec/jpeg_markers.h"

namespace data {
namespace {

constexpr size_t kMarkerSize = 2;

int CeilDivide(int a, int b) { return (a + b - 1) / b; }

bool Fits(const RestartIndex& restarts, const JpegHeader& header, size_t jpeg_size) {
  if (restarts.rows != CeilDivide(header.height, header.mcu_height) || restarts.columns < 1 ||
      CeilDivide(header.width, header.mcu_width) % restarts.columns != 0 ||
      restarts.offsets.size() != size_t(restarts.rows) * restarts.columns + 1 ||
      restarts.offsets.front() < header.height_offset + 4 || restarts.offsets.back() > jpeg_size) {
    return false;
  }
  for (size_t i = 1; i < restarts.offsets.size(); ++i) {
    if (restarts.offsets[i] < restarts.offsets[i - 1] + kMarkerSize) return false;
  }
  return true;
}

void StoreBig16(uint8_t* to, int value) {
  to[0] = value >> 8;
  to[1] = value & 0xff;
}

}  // namespace

absl::StatusOr<JpegSegments> ExtractSegments(const EncodedSample& sample, const JpegHeader& header,
                                             const Rect& rect, ScratchBuffer& buffer) {
  const RestartIndex& restarts = sample.restarts;
  if (!Fits(restarts, header, sample.bytes.size())) {
    return absl::DataLossError("the restart offsets do not fit the JPEG");
  }
  const int columns = restarts.columns;
  const int segment_width = CeilDivide(header.width, header.mcu_width) / columns * header.mcu_width;
  const int first_row = rect.y / header.mcu_height;
  const int last_row = CeilDivide(rect.y + rect.height, header.mcu_height);
  const int first_column = rect.x / segment_width;
  const int last_column = CeilDivide(rect.x + rect.width, segment_width);

  JpegSegments result;
  result.rect.x = first_column * segment_width;
  result.rect.y = first_row * header.mcu_height;
  result.rect.width = std::min(header.width, last_column * segment_width) - result.rect.x;
  result.rect.height = std::min(header.height, last_row * header.mcu_height) - result.rect.y;

  const size_t head = restarts.offsets.front();
  size_t size = head;
  for (int row = first_row; row < last_row; ++row) {
    size += restarts.offsets[row * columns + last_column] -
            restarts.offsets[row * columns + first_column];
  }
  uint8_t* const jpeg = buffer.Reserve(size);
  std::memcpy(jpeg, sample.bytes.data(), head);
  StoreBig16(jpeg + header.height_offset, result.rect.height);
  StoreBig16(jpeg + header.height_offset + 2, result.rect.width);

  // The segments of a row stand side by side; each brings its marker, which gets a new number.
  uint8_t* to = jpeg + head;
  uint8_t number = 0;
  for (int row = first_row; row < last_row; ++row) {
    const uint32_t* const offsets = restarts.offsets.data() + row * columns;
    std::memcpy(to, sample.bytes.data() + offsets[first_column],
                offsets[last_column] - offsets[first_column]);
    for (int column = first_column; column < last_column; ++column) {
      to += offsets[column + 1] - offsets[column];
      to[-2] = 0xff;
      to[-1] = kRestart0 + (number++ & 7);
    }
  }
  to[-1] = kEndOfImage;
  result.jpeg = {jpeg, size};
  return result;
}

}  // namespace data
