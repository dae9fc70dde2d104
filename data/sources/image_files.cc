#include "data/sources/image_files.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "absl/strings/match.h"

namespace data {
namespace {

bool EndsWithAnyOf(absl::string_view name, std::initializer_list<const char*> extensions) {
  return std::any_of(extensions.begin(), extensions.end(), [name](const char* extension) {
    return absl::EndsWithIgnoreCase(name, extension);
  });
}

}  // namespace

bool IsImageName(absl::string_view name) {
  return EndsWithAnyOf(name, {".jpg", ".jpeg", ".jpe", ".jfif", ".png"});
}

bool IsOtherImageName(absl::string_view name) {
  return EndsWithAnyOf(name, {".webp", ".bmp",  ".dib", ".gif", ".tif", ".tiff", ".ppm",  ".pgm",
                              ".pbm",  ".pnm",  ".jp2", ".j2k", ".jxl", ".heic", ".heif", ".avif",
                              ".tga",  ".apng", ".ico", ".svg", ".raw", ".dng",  ".cr2",  ".nef"});
}

Encoding SniffEncoding(absl::Span<const uint8_t> bytes) {
  constexpr uint8_t kPngMagic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const bool png = bytes.size() >= sizeof(kPngMagic) &&
                   std::memcmp(bytes.data(), kPngMagic, sizeof(kPngMagic)) == 0;
  return png ? Encoding::kPng : Encoding::kJpeg;
}

}  // namespace data
