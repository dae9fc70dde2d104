#include "base/crc32c.h"

#include <array>

namespace base {
namespace {

// Remainders of all bytes by the polynomial 0x1EDC6F41, bits reversed.
constexpr std::array<uint32_t, 256> kRemainders = [] {
  std::array<uint32_t, 256> remainders{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder >> 1 ^ (remainder & 1 ? 0x82F63B78 : 0);
    }
    remainders[byte] = remainder;
  }
  return remainders;
}();

}  // namespace

uint32_t Crc32c(absl::string_view bytes) {
  uint32_t crc = ~uint32_t{0};
  for (const char byte : bytes) {
    crc = crc >> 8 ^ kRemainders[(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  }
  return ~crc;
}

}  // namespace base
