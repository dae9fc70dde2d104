// The checksum of TensorBoard's event files: CRC-32 of Castagnoli's polynomial (RFC 3720, B.4).
#ifndef BASE_CRC32C_H_
#define BASE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace base {

uint32_t Crc32c(absl::string_view bytes);

}  // namespace base

#endif  // BASE_CRC32C_H_
