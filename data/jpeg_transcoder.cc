#include "data/jpeg_transcoder.h"

#include <stdlib.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/jpeg_error.h"
#include "data/jpeg_header.h"
#include "data/libjpeg.h"
#include "data/pixel_region.h"

namespace data {
namespace {

constexpr int kMaxMcuBlocks = 10;
// A marker costs about 4 bytes, so segments are not made narrower than this.
constexpr int kMinSegmentPixels = 64;

// Segments of equally many MCUs into which a row is divided.
int RestartColumns(const JpegHeader& header) {
  const int mcus = (header.width + header.mcu_width - 1) / header.mcu_width;
  const int least = (kMinSegmentPixels + header.mcu_width - 1) / header.mcu_width;
  int length = least;
  while (length < mcus && mcus % length != 0) ++length;
  return length < mcus ? mcus / length : 1;
}

// Finds the restart markers of a JPEG with one scan.
absl::Status IndexRestarts(const JpegHeader& header, RestartJpeg& jpeg) {
  const std::vector<uint8_t>& bytes = jpeg.bytes;
  jpeg.restart_columns = RestartColumns(header);
  jpeg.restart_rows = (header.height + header.mcu_height - 1) / header.mcu_height;
  size_t at = 2;
  while (bytes[at + 1] != 0xda) at += 2 + (bytes[at + 2] << 8 | bytes[at + 3]);
  at += 2 + (bytes[at + 2] << 8 | bytes[at + 3]);
  jpeg.restart_offsets.assign(1, at);
  for (; at + 1 < bytes.size(); ++at) {
    const bool marker = bytes[at] == 0xff && bytes[at + 1] != 0;
    if (marker) jpeg.restart_offsets.push_back(at + 2);
  }
  const size_t expected = size_t(jpeg.restart_rows) * jpeg.restart_columns + 1;
  if (jpeg.restart_offsets.size() != expected) {
    return absl::InternalError(
        absl::StrCat(jpeg.restart_offsets.size(), " restart markers were written, not ", expected));
  }
  return absl::OkStatus();
}

}  // namespace

struct JpegTranscoder::State {
  State() {
    source.err = target.err = errors.manager();
    jpeg_create_decompress(&source);
    jpeg_create_compress(&target);
    source.mem->max_memory_to_use = target.mem->max_memory_to_use = 8 * kMaxPixels;
  }
  ~State() {
    jpeg_destroy_decompress(&source);
    jpeg_destroy_compress(&target);
    free(memory);
  }

  void Prepare(const JpegHeader& header);
  absl::StatusOr<RestartJpeg> Collect(const absl::Status& status, const JpegHeader& header);

  JpegErrorHandler errors;
  jpeg_decompress_struct source;
  jpeg_compress_struct target;
  // What jpeg_mem_dest allocates.
  unsigned char* memory = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
};

void JpegTranscoder::State::Prepare(const JpegHeader& header) {
  target.optimize_coding = TRUE;
  const int mcus = (header.width + header.mcu_width - 1) / header.mcu_width;
  target.restart_interval = mcus / RestartColumns(header);
  jpeg_mem_dest(&target, &memory, &size);
}

absl::StatusOr<RestartJpeg> JpegTranscoder::State::Collect(const absl::Status& status,
                                                           const JpegHeader& header) {
  jpeg_abort_decompress(&source);
  jpeg_abort_compress(&target);
  RestartJpeg jpeg;
  if (status.ok()) jpeg.bytes.assign(memory, memory + size);
  free(memory);
  memory = nullptr;
  size = 0;
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(IndexRestarts(header, jpeg));
  return jpeg;
}

JpegTranscoder::JpegTranscoder() : state_(std::make_unique<State>()) {}
JpegTranscoder::~JpegTranscoder() = default;

absl::StatusOr<RestartJpeg> JpegTranscoder::Transcode(absl::Span<const uint8_t> jpeg) {
  ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(jpeg));
  if (int64_t{header.width} * header.height > kMaxPixels) {
    return absl::DataLossError(absl::StrCat("declares ", header.width, "x", header.height,
                                            " pixels; the limit is ", kMaxPixels, " in all"));
  }
  if (header.components > 1 && header.mcu_blocks > kMaxMcuBlocks) {
    return absl::UnimplementedError(absl::StrCat("an MCU of ", header.mcu_blocks, " blocks"));
  }
  State& state = *state_;
  const absl::Status status = state.errors.Run([&] {
    jpeg_mem_src(&state.source, jpeg.data(), jpeg.size());
    jpeg_read_header(&state.source, TRUE);
    jvirt_barray_ptr* coefficients = jpeg_read_coefficients(&state.source);
    jpeg_copy_critical_parameters(&state.source, &state.target);
    state.Prepare(header);
    jpeg_write_coefficients(&state.target, coefficients);
    jpeg_finish_compress(&state.target);
    jpeg_finish_decompress(&state.source);
  });
  return state.Collect(status, header);
}

absl::StatusOr<RestartJpeg> JpegTranscoder::Encode(const uint8_t* rgb, int width, int height,
                                                   int quality) {
  JpegHeader header;
  header.width = width;
  header.height = height;
  header.mcu_width = header.mcu_height = 16;  // 4:2:0
  State& state = *state_;
  const absl::Status status = state.errors.Run([&] {
    jpeg_compress_struct& target = state.target;
    target.image_width = width;
    target.image_height = height;
    target.input_components = 3;
    target.in_color_space = JCS_RGB;
    jpeg_set_defaults(&target);
    jpeg_set_quality(&target, quality, TRUE);
    state.Prepare(header);
    jpeg_start_compress(&target, TRUE);
    while (target.next_scanline < target.image_height) {
      // libjpeg does not write to its input.
      auto* row = const_cast<uint8_t*>(rgb + size_t{3} * width * target.next_scanline);
      jpeg_write_scanlines(&target, &row, 1);
    }
    jpeg_finish_compress(&target);
  });
  return state.Collect(status, header);
}

}  // namespace data
