// The bytes of a packed file (FORMAT.md), for its writer and its reader.
#ifndef QUANT_RUNTIME_PACKED_FORMAT_H_
#define QUANT_RUNTIME_PACKED_FORMAT_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "xxhash.h"

namespace quant::runtime {

static_assert(std::endian::native == std::endian::little);

inline constexpr absl::string_view kPackedMagic("\x89NQN\r\n\x1a\n", 8);
inline constexpr uint32_t kPackedVersion = 2;

struct PackedHeader {
  char magic[8];
  uint32_t version;
  uint32_t unused;  // 0
  uint64_t file_size;
  uint64_t data;             // Where the data begin: a multiple of kDataAlignment.
  uint64_t body_checksum;    // Of all that follows the header.
  uint64_t header_checksum;  // Of the header up to here.
};
static_assert(sizeof(PackedHeader) == 48);

inline constexpr size_t kDataAlignment = 64;  // Of the data in the file.
inline constexpr size_t kArrayAlignment = 4;  // Of what follows a node's weights.

// Flags of a convolution.
inline constexpr uint8_t kHasRelu = 1;
inline constexpr uint8_t kHasNorm = 2;

inline uint64_t PackedChecksum(const void* bytes, size_t size) { return XXH3_64bits(bytes, size); }

inline uint64_t HeaderChecksum(const PackedHeader& header) {
  return PackedChecksum(&header, offsetof(PackedHeader, header_checksum));
}

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_PACKED_FORMAT_H_
