// Unaligned little-endian integers in a byte string. The formats read here are little-endian, as is
// every machine this runs on.
#ifndef DATA_IO_LITTLE_ENDIAN_H_
#define DATA_IO_LITTLE_ENDIAN_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace data {

static_assert(std::endian::native == std::endian::little);

template <typename T>
T LoadLittle(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void AppendLittle(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

}  // namespace data

#endif  // DATA_IO_LITTLE_ENDIAN_H_
