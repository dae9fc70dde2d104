#include "data/sources/image_files.h"

#include <cstring>

#include "absl/strings/match.h"

namespace data {

bool IsImageName(absl::string_view name) {
  return absl::EndsWithIgnoreCase(name, ".jpg") || absl::EndsWithIgnoreCase(name, ".jpeg") ||
         absl::EndsWithIgnoreCase(name, ".png");
}

Encoding SniffEncoding(absl::Span<const uint8_t> bytes) {
  constexpr uint8_t kPngMagic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const bool png = bytes.size() >= sizeof(kPngMagic) &&
                   std::memcmp(bytes.data(), kPngMagic, sizeof(kPngMagic)) == 0;
  return png ? Encoding::kPng : Encoding::kJpeg;
}

}  // namespace data
