#include "data/codec/jpeg_transcoder.h"

#include <stdlib.h>

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/codec/jpeg_entropy.h"
#include "data/codec/jpeg_error.h"
#include "data/codec/jpeg_header.h"
#include "data/codec/jpeg_markers.h"
#include "data/codec/jpeg_scans.h"
#include "data/codec/jpeg_tables.h"
#include "data/codec/libjpeg.h"
#include "data/pixels/pixel_region.h"

namespace data {
namespace {

constexpr int kMaxMcuBlocks = 10;
// A marker costs about 4 bytes, so segments are not made narrower than this.
constexpr int kMinSegmentPixels = 32;
// The shard format counts them in a byte.
constexpr int kMaxColumns = 255;

// Segments of equally many MCUs into which a row is divided.
int RestartColumns(const JpegHeader& header) {
  const int mcus = (header.width + header.mcu_width - 1) / header.mcu_width;
  int length = std::max((kMinSegmentPixels + header.mcu_width - 1) / header.mcu_width,
                        (mcus + kMaxColumns - 1) / kMaxColumns);
  while (length < mcus && mcus % length != 0) ++length;
  return length < mcus ? mcus / length : 1;
}

// Finds the restart markers of a JPEG with one scan.
absl::Status IndexRestarts(const JpegHeader& header, RestartJpeg& jpeg) {
  const std::vector<uint8_t>& bytes = jpeg.bytes;
  jpeg.restart_columns = RestartColumns(header);
  jpeg.restart_rows = (header.height + header.mcu_height - 1) / header.mcu_height;
  size_t at = 2;
  while (bytes[at + 1] != kScan) at += 2 + (bytes[at + 2] << 8 | bytes[at + 3]);
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

// A compressor that writes to memory. New for every image, so none inherits another's tables.
struct Compressor {
  Compressor() {
    jpeg.err = errors.manager();
    jpeg_create_compress(&jpeg);
    jpeg.mem->max_memory_to_use = 8 * kMaxPixels;
  }
  Compressor(const Compressor&) = delete;
  ~Compressor() {
    jpeg_destroy_compress(&jpeg);
    free(memory);
  }

  // To be called before the first row or coefficient.
  void Prepare(const JpegHeader& header) {
    jpeg.optimize_coding = TRUE;
    const int mcus = (header.width + header.mcu_width - 1) / header.mcu_width;
    jpeg.restart_interval = mcus / RestartColumns(header);
    jpeg_mem_dest(&jpeg, &memory, &size);
  }

  absl::StatusOr<RestartJpeg> Result(const JpegHeader& header) const {
    RestartJpeg result;
    result.bytes.assign(memory, memory + size);
    RETURN_IF_ERROR(IndexRestarts(header, result));
    return result;
  }

  JpegErrorHandler errors;
  jpeg_compress_struct jpeg;
  // What jpeg_mem_dest allocates.
  unsigned char* memory = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
};

}  // namespace

absl::StatusOr<RestartJpeg> TranscodeJpeg(absl::Span<const uint8_t> jpeg) {
  ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(jpeg));
  if (int64_t{header.width} * header.height > kMaxPixels) {
    return absl::DataLossError(absl::StrCat("declares ", header.width, "x", header.height,
                                            " pixels; the limit is ", kMaxPixels, " in all"));
  }
  if (header.components > 1 && header.mcu_blocks > kMaxMcuBlocks) {
    return absl::UnimplementedError(absl::StrCat("an MCU of ", header.mcu_blocks, " blocks"));
  }
  Compressor target;
  JpegScanLimit scan_limit;
  jpeg_decompress_struct source;
  source.err = target.errors.manager();
  jpeg_create_decompress(&source);
  absl::Cleanup destroy = [&source] { jpeg_destroy_decompress(&source); };
  source.mem->max_memory_to_use = 8 * kMaxPixels;
  scan_limit.Install(source);
  RETURN_IF_ERROR(target.errors.Run([&] {
    ForbidDefaultHuffmanTables(source);
    jpeg_mem_src(&source, jpeg.data(), jpeg.size());
    jpeg_read_header(&source, TRUE);
    jvirt_barray_ptr* coefficients = jpeg_read_coefficients(&source);
    jpeg_copy_critical_parameters(&source, &target.jpeg);
    target.Prepare(header);
    jpeg_write_coefficients(&target.jpeg, coefficients);
    jpeg_finish_compress(&target.jpeg);
    jpeg_finish_decompress(&source);
  }));
  if (target.errors.found_extraneous_bytes() && !EntropyDataAreWhole(jpeg)) {
    return absl::DataLossError("damaged JPEG data, which end before the image does");
  }
  return target.Result(header);
}

absl::StatusOr<RestartJpeg> EncodeJpeg(const uint8_t* rgb, int width, int height, int quality) {
  JpegHeader header;
  header.width = width;
  header.height = height;
  header.mcu_width = header.mcu_height = 16;  // 4:2:0
  Compressor target;
  RETURN_IF_ERROR(target.errors.Run([&] {
    jpeg_compress_struct& jpeg = target.jpeg;
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    target.Prepare(header);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
      // libjpeg does not write to its input.
      auto* row = const_cast<uint8_t*>(rgb + size_t{3} * width * jpeg.next_scanline);
      jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
  }));
  return target.Result(header);
}

}  // namespace data
