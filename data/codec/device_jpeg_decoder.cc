#include "data/codec/device_jpeg_decoder.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "data/codec/jpeg_header.h"
#include "data/codec/jpeg_segments.h"
#include "data/codec/plain_jpeg.h"

namespace data {
namespace {

// Upsampling looks at neighbours, which at the edge of a part are not the real ones; nvJPEG before
// CUDA 13.3 has moreover wrong pixels along such edges when it interpolates chroma.
constexpr int kMargin = 8;

// [begin, end) of `size` pixels, rounded outwards to multiples of `unit`.
std::pair<int, int> RoundOut(int begin, int end, int unit, int size) {
  begin = std::max(0, begin) / unit * unit;
  return {begin, std::min(size, (end + unit - 1) / unit * unit)};
}

Rect RoundOut(const Rect& rect, int margin, int unit_x, int unit_y, int width, int height) {
  const auto [x0, x1] = RoundOut(rect.x - margin, rect.x + rect.width + margin, unit_x, width);
  const auto [y0, y1] = RoundOut(rect.y - margin, rect.y + rect.height + margin, unit_y, height);
  return {x0, y0, x1 - x0, y1 - y0};
}

bool IsAll(const Rect& part, const Rect& whole) {
  return part.width == whole.width && part.height == whole.height;
}

}  // namespace

DeviceJpegDecoder::DeviceJpegDecoder(std::shared_ptr<JpegDevice> device)
    : device_(std::move(device)) {}

DeviceJpegDecoder::~DeviceJpegDecoder() {
  for (Buffer* buffer : {&rgb_, &rgbx_, &fetched_}) {
    if (buffer->memory != nullptr) lane_->Free(buffer->where, buffer->memory);
  }
}

absl::StatusOr<uint8_t*> DeviceJpegDecoder::Reserve(Buffer& buffer, size_t bytes) {
  if (bytes <= buffer.capacity) return buffer.memory;
  if (buffer.memory != nullptr) lane_->Free(buffer.where, std::exchange(buffer.memory, nullptr));
  buffer.capacity = 0;
  const size_t capacity = bytes + bytes / 4;
  ASSIGN_OR_RETURN(buffer.memory, lane_->Allocate(buffer.where, capacity));
  buffer.capacity = capacity;
  return buffer.memory;
}

bool DeviceJpegDecoder::MayTake(const EncodedSample& sample) {
  const absl::StatusOr<JpegHeader> header = ParseJpegHeader(sample.bytes);
  const bool may =
      header.ok() && header->width == sample.width && header->height == sample.height &&
      int64_t{header->width} * header->height <= kMaxPixels && IsPlainJpeg(sample.bytes);
  if (!may) ++device_->left;
  return may;
}

// Decodes `wanted`, or all, of `jpeg`, which shows `jpeg_rect` of the image, and does `job`, whose
// rgb and source are filled in here.
absl::StatusOr<const uint8_t*> DeviceJpegDecoder::Run(absl::Span<const uint8_t> jpeg,
                                                      const Rect& jpeg_rect, const Rect& wanted,
                                                      ShrinkJob job) {
  RETURN_IF_ERROR(lane_->Parse(jpeg));
  Rect part = {wanted.x - jpeg_rect.x, wanted.y - jpeg_rect.y, wanted.width, wanted.height};
  if (!IsAll(part, jpeg_rect)) {
    ASSIGN_OR_RETURN(const bool can, lane_->CanDecodePart(part));
    if (!can) part = {0, 0, jpeg_rect.width, jpeg_rect.height};
  }
  ASSIGN_OR_RETURN(uint8_t* const rgb, Reserve(rgb_, size_t{3} * part.width * part.height));
  const size_t bytes = size_t{4} * job.target.width * job.target.height;
  ASSIGN_OR_RETURN(uint8_t* const rgbx, Reserve(rgbx_, bytes));
  ASSIGN_OR_RETURN(uint8_t* const fetched, Reserve(fetched_, bytes + kPixelPadding));
  RETURN_IF_ERROR(lane_->Decode(part, rgb));
  job.rgb = rgb;
  job.source = {jpeg_rect.x + part.x, jpeg_rect.y + part.y, part.width, part.height};
  RETURN_IF_ERROR(lane_->Shrink(job, rgbx));
  RETURN_IF_ERROR(lane_->Fetch(rgbx, bytes, fetched));
  return fetched;
}

absl::StatusOr<std::optional<PixelRegion>> DeviceJpegDecoder::Decode(const EncodedSample& sample,
                                                                     const Rect& rect,
                                                                     int log2_shrink) {
  ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(sample.bytes));
  const Rect whole = {0, 0, header.width, header.height};
  const int side = 1 << log2_shrink;
  // The crop in whole shrunk pixels; then what has to be decoded for them.
  const Rect covered = RoundOut(rect, 0, side, side, header.width, header.height);
  const Rect wanted =
      RoundOut(covered, kMargin, header.mcu_width, header.mcu_height, header.width, header.height);
  JpegSegments source{sample.bytes, whole};
  if (!sample.restarts.offsets.empty()) {
    ASSIGN_OR_RETURN(source, ExtractSegments(sample, header, wanted, segments_));
  }
  ShrinkJob job;
  job.log2_shrink = log2_shrink;
  job.image_width = header.width;
  job.image_height = header.height;
  job.target = {covered.x / side, covered.y / side, (covered.width + side - 1) / side,
                (covered.height + side - 1) / side};

  if (lane_ == nullptr) {
    ASSIGN_OR_RETURN(lane_, device_->NewLane());
  }
  const absl::StatusOr<const uint8_t*> pixels = Run(source.jpeg, source.rect, wanted, job);
  if (absl::IsUnimplemented(pixels.status())) {
    ++device_->left;
    return std::nullopt;
  }
  RETURN_IF_ERROR(pixels.status());
  ++device_->decoded;
  PixelRegion region;
  region.pixels = *pixels;
  region.stride = size_t{4} * job.target.width;
  region.rect = job.target;
  return region;
}

}  // namespace data
