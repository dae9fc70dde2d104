#include "data/codec/jpeg_decoder.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/codec/jpeg_arena.h"
#include "data/codec/jpeg_entropy.h"
#include "data/codec/jpeg_error.h"
#include "data/codec/jpeg_header.h"
#include "data/codec/jpeg_huffman.h"
#include "data/codec/jpeg_scans.h"
#include "data/codec/jpeg_segments.h"
#include "data/codec/jpeg_tables.h"
#include "data/codec/libjpeg.h"
#include "data/io/scratch_buffer.h"

namespace data {
namespace {

// Fancy upsampling looks at a neighbour, which at the edge of a partial decode is not the real one.
constexpr int kMargin = 2;

int CeilShift(int value, int shift) { return (value + (1 << shift) - 1) >> shift; }

// `rect` rounded outwards to shrunk pixels, with `margin` more on each side, clipped to the image.
Rect ShrunkRect(const Rect& rect, int log2_shrink, int margin, int width, int height) {
  const int x0 = std::max(0, (rect.x >> log2_shrink) - margin);
  const int y0 = std::max(0, (rect.y >> log2_shrink) - margin);
  const int x1 =
      std::min(CeilShift(width, log2_shrink), CeilShift(rect.x + rect.width, log2_shrink) + margin);
  const int y1 = std::min(CeilShift(height, log2_shrink),
                          CeilShift(rect.y + rect.height, log2_shrink) + margin);
  return {x0, y0, x1 - x0, y1 - y0};
}

// Adobe's CMYK stores 255 - ink, so each channel is what the ink leaves of white. Rounds as Pillow.
void InkToRgb(uint8_t* pixels, size_t count) {
  for (uint8_t* pixel = pixels; pixel != pixels + 4 * count; pixel += 4) {
    const int white = pixel[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - pixel[c]) * white + 128;
      pixel[c] = white - (((product >> 8) + product) >> 8);
    }
  }
}

}  // namespace

struct JpegDecoder::State {
  State() {
    jpeg.err = errors.manager();
    jpeg_create_decompress(&jpeg);
    arena.Install(jpeg);
    scan_limit.Install(jpeg);
    // Bounds the coefficients of a progressive image: 2 bytes for each of up to 4 components.
    jpeg.mem->max_memory_to_use = 8 * kMaxPixels;
  }
  ~State() { jpeg_destroy_decompress(&jpeg); }

  void Start(absl::Span<const uint8_t> bytes, int log2_shrink, bool verified);
  void ReadRows(int count, uint8_t* to, size_t stride);
  void CheckRest(uint8_t* row);

  JpegErrorHandler errors;
  JpegArena arena;
  JpegScanLimit scan_limit;
  JpegHuffman huffman;
  jpeg_decompress_struct jpeg;
  ScratchBuffer segments;
  ScratchBuffer pixels;
};

void JpegDecoder::State::Start(absl::Span<const uint8_t> bytes, int log2_shrink, bool verified) {
  ForbidDefaultHuffmanTables(jpeg);
  jpeg_mem_src(&jpeg, bytes.data(), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  jpeg.scale_num = 1;
  jpeg.scale_denom = 1 << log2_shrink;
  const bool inks = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
  jpeg.out_color_space = inks ? JCS_CMYK : JCS_EXT_RGBX;
  jpeg_start_decompress(&jpeg);
  // What has to be looked at to its end is libjpeg's, whose word on damage counts.
  if (verified) huffman.TakeOver(jpeg);
}

void JpegDecoder::State::ReadRows(int count, uint8_t* to, size_t stride) {
  constexpr int kRowsAtOnce = 16;
  JSAMPROW rows[kRowsAtOnce];
  for (int done = 0; done < count;) {
    const int wanted = std::min(kRowsAtOnce, count - done);
    for (int i = 0; i < wanted; ++i) rows[i] = to + (done + i) * stride;
    done += jpeg_read_scanlines(&jpeg, rows, wanted);
  }
}

// Entropy-decodes what is left. Skipping the last row too would end the image without looking at
// it.
void JpegDecoder::State::CheckRest(uint8_t* row) {
  if (jpeg.output_scanline < jpeg.output_height) {
    jpeg_skip_scanlines(&jpeg, jpeg.output_height - 1 - jpeg.output_scanline);
    ReadRows(1, row, 0);
  }
  jpeg_finish_decompress(&jpeg);
}

JpegDecoder::JpegDecoder() : state_(std::make_unique<State>()) {}
JpegDecoder::~JpegDecoder() = default;

absl::StatusOr<PixelRegion> JpegDecoder::Decode(const EncodedSample& sample, const Rect& rect,
                                                int log2_shrink) {
  ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(sample.bytes));
  if (int64_t{header.width} * header.height > kMaxPixels) {
    return absl::DataLossError(absl::StrCat("declares ", header.width, "x", header.height,
                                            " pixels; the limit is ", kMaxPixels, " in all"));
  }
  if (header.width != sample.width || header.height != sample.height) {
    return absl::DataLossError(absl::StrCat("is ", header.width, "x", header.height,
                                            " pixels, not ", sample.width, "x", sample.height));
  }

  const Rect wanted = ShrunkRect(rect, log2_shrink, kMargin, header.width, header.height);
  JpegSegments source{sample.bytes, {0, 0, header.width, header.height}};
  if (sample.verified && !sample.restarts.offsets.empty()) {
    const int x = wanted.x << log2_shrink, y = wanted.y << log2_shrink;
    const Rect needed = {x, y, std::min(header.width - x, wanted.width << log2_shrink),
                         std::min(header.height - y, wanted.height << log2_shrink)};
    ASSIGN_OR_RETURN(source, ExtractSegments(sample, header, needed, state_->segments));
  }
  const int source_x = source.rect.x >> log2_shrink, source_y = source.rect.y >> log2_shrink;

  jpeg_decompress_struct& jpeg = state_->jpeg;
  PixelRegion region;
  uint8_t* pixels = nullptr;
  const absl::Status status = state_->errors.Run([&] {
    state_->Start(source.jpeg, log2_shrink, sample.verified);
    JDIMENSION x = wanted.x - source_x, width = wanted.width;
    if (width < jpeg.output_width) jpeg_crop_scanline(&jpeg, &x, &width);
    region.stride = size_t{4} * width;
    region.rect = {source_x + static_cast<int>(x), wanted.y, static_cast<int>(width),
                   wanted.height};
    pixels = state_->pixels.Reserve(region.stride * (wanted.height + 1) + kPixelPadding);
    if (wanted.y > source_y) jpeg_skip_scanlines(&jpeg, wanted.y - source_y);
    state_->ReadRows(wanted.height, pixels, region.stride);
    if (jpeg.out_color_space == JCS_CMYK) InkToRgb(pixels, size_t{width} * wanted.height);
    if (!sample.verified) state_->CheckRest(pixels + region.stride * wanted.height);
  });
  state_->arena.Recycle(jpeg);
  RETURN_IF_ERROR(status);
  if (state_->errors.found_extraneous_bytes() && !EntropyDataAreWhole(sample.bytes)) {
    return absl::DataLossError("damaged JPEG data, which end before the image does");
  }
  region.pixels = pixels;
  return region;
}

absl::Status JpegDecoder::Check(const EncodedSample& sample) {
  EncodedSample unknown = sample;
  unknown.verified = false;
  return Decode(unknown, {0, 0, 1, 1}, /*log2_shrink=*/3).status();
}

}  // namespace data
