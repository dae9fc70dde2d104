#include "data/codec/png_decoder.h"

#include <png.h>
#include <zlib.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace data {
namespace {

constexpr size_t kSignatureSize = 8;
constexpr size_t kChunkOverhead = 12;  // length, type, checksum

uint32_t Big32(const uint8_t* from) {
  return uint32_t{from[0]} << 24 | from[1] << 16 | from[2] << 8 | from[3];
}

// libpng does not look behind the last row.
absl::Status CheckChunks(absl::Span<const uint8_t> png) {
  size_t at = kSignatureSize;
  while (png.size() >= at && png.size() - at >= kChunkOverhead) {
    const uint8_t* chunk = png.data() + at;
    const size_t length = Big32(chunk);
    if (length > png.size() - at - kChunkOverhead) break;
    if (crc32(0, chunk + 4, length + 4) != Big32(chunk + 8 + length)) {
      return absl::DataLossError(absl::StrCat("a PNG chunk whose checksum differs, at byte ", at));
    }
    if (std::memcmp(chunk + 4, "IEND", 4) == 0) return absl::OkStatus();
    at += kChunkOverhead + length;
  }
  return absl::DataLossError("a PNG without its end");
}

// What libpng reads, and what it says when it fails.
struct Source {
  const uint8_t* next;
  const uint8_t* end;
  char error[128];
};

void ReadBytes(png_structp png, png_bytep to, size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (count > static_cast<size_t>(source->end - source->next)) png_error(png, "ends too early");
  std::memcpy(to, source->next, count);
  source->next += count;
}

[[noreturn]] void OnError(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::snprintf(source->error, sizeof(source->error), "%s", message);
  png_longjmp(png, 1);
}

// Of chunks that change no pixel; damage has been looked for by the checksums.
void OnWarning(png_structp png, png_const_charp message) {}

// Asks for four bytes a pixel; but two for 16-bit gray.
void SetFormat(png_structp png, bool gray16) {
  if (gray16) return;
  png_set_strip_16(png);
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_gray_to_rgb(png);
  png_set_filler(png, 0, PNG_FILLER_AFTER);  // where there is no alpha
}

// Big-endian gray of 16 bits, at the beginning of a row, to RGB: in place, from the end on.
void SpreadGray16(uint8_t* row, int width) {
  for (int x = width - 1; x >= 0; --x) {
    const uint8_t gray = row[2 * x] != 0 ? 255 : row[2 * x + 1];
    uint8_t* to = row + 4 * x;
    to[0] = to[1] = to[2] = gray;
    to[3] = 0;
  }
}

// Reads the whole image. libpng jumps here when it fails, so nothing here needs a destructor.
bool ReadRows(Source& source, const Rect& size, png_bytep* rows) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, &OnError, &OnWarning);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  if (info == nullptr || setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  png_set_read_fn(png, &source, &ReadBytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // ReadPngSize has its own
  png_read_info(png, info);
  const bool gray16 =
      png_get_bit_depth(png, info) == 16 && png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY;
  SetFormat(png, gray16);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != size_t{gray16 ? 2u : 4u} * size.width) {
    png_error(png, "rows of another length");
  }
  png_read_image(png, rows);
  if (gray16) {
    for (int y = 0; y < size.height; ++y) SpreadGray16(rows[y], size.width);
  }
  png_destroy_read_struct(&png, &info, nullptr);
  return true;
}

}  // namespace

absl::StatusOr<Rect> ReadPngSize(absl::Span<const uint8_t> png) {
  RETURN_IF_ERROR(CheckChunks(png));
  const uint8_t* chunk = png.data() + kSignatureSize;
  if (Big32(chunk) != 13 || std::memcmp(chunk + 4, "IHDR", 4) != 0) {
    return absl::DataLossError("a PNG without a header");
  }
  const uint64_t width = Big32(chunk + 8), height = Big32(chunk + 12);
  if (width == 0 || height == 0 || width > kMaxPixels || height > kMaxPixels / width) {
    return absl::DataLossError(absl::StrCat("declares ", width, "x", height,
                                            " pixels; the limit is ", kMaxPixels, " in all"));
  }
  return Rect{0, 0, static_cast<int>(width), static_cast<int>(height)};
}

absl::StatusOr<PixelRegion> DecodePng(absl::Span<const uint8_t> png, ScratchBuffer& buffer) {
  ASSIGN_OR_RETURN(const Rect size, ReadPngSize(png));
  PixelRegion region;
  region.rect = size;
  region.stride = size_t{4} * size.width;
  uint8_t* const pixels = buffer.Reserve(region.stride * size.height + kPixelPadding);
  Source source = {png.data(), png.data() + png.size(), ""};
  std::vector<png_bytep> rows(size.height);
  for (int y = 0; y < size.height; ++y) rows[y] = pixels + y * region.stride;
  if (!ReadRows(source, size, rows.data())) {
    return absl::DataLossError(absl::StrCat("libpng: ", source.error));
  }
  region.pixels = pixels;
  return region;
}

}  // namespace data
