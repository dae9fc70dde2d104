// The header of an HTTP answer that says which bytes it has.
#ifndef DATA_REMOTE_CONTENT_RANGE_H_
#define DATA_REMOTE_CONTENT_RANGE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace data {

struct ContentRange {
  bool none = false;  // "bytes */SIZE": none of those asked for
  uint64_t first = 0;
  uint64_t last = 0;  // the last byte itself
  uint64_t size = 0;  // of the whole object
};

// Of "bytes FIRST-LAST/SIZE" or "bytes */SIZE"; nothing if it is neither, or contradicts itself.
std::optional<ContentRange> ParseContentRange(absl::string_view value);

}  // namespace data

#endif  // DATA_REMOTE_CONTENT_RANGE_H_
