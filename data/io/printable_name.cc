#include "data/io/printable_name.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

// Bytes of the character that `text`, not empty, begins with; 0 if it is none of UTF-8 (RFC 3629:
// nothing overlong, no surrogates, nothing beyond U+10FFFF) or a control character.
size_t CharacterSize(absl::string_view text) {
  const uint8_t lead = text[0];
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : 0;
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  uint32_t code = lead & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    const uint8_t byte = text[i];
    if ((byte & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0xa0, 0x800, 0x10000};  // 0x80 to 0x9f are controls
  if (code < kSmallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
  return size;
}

}  // namespace

std::string PrintableName(absl::string_view name) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string printable;
  while (!name.empty()) {
    const size_t size = CharacterSize(name);
    if (size > 0) {
      absl::StrAppend(&printable, name.substr(0, size));
    } else {
      const uint8_t byte = name[0];
      printable += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    name.remove_prefix(size > 0 ? size : 1);
  }
  return printable;
}

}  // namespace data
