#include "data/codec/png_decoder.h"

#include <png.h>
#include <zlib.h>

#include <cstring>

#include "absl/cleanup/cleanup.h"
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
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  absl::Cleanup release = [&image] { png_image_free(&image); };
  const auto failure = [&image] {
    return absl::DataLossError(absl::StrCat("libpng: ", image.message));
  };
  if (!png_image_begin_read_from_memory(&image, png.data(), png.size())) return failure();
  image.format = PNG_FORMAT_RGBA;  // with alpha, or libpng would blend
  PixelRegion region;
  region.rect = size;
  region.stride = PNG_IMAGE_ROW_STRIDE(image);
  uint8_t* pixels = buffer.Reserve(region.stride * size.height + kPixelPadding);
  if (!png_image_finish_read(&image, nullptr, pixels, region.stride, nullptr)) return failure();
  region.pixels = pixels;
  return region;
}

}  // namespace data
