// Bytes of one maker that several hold: threads of a process, or the processes of a host.
#ifndef BASE_SHARED_BYTES_H_
#define BASE_SHARED_BYTES_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace base {

struct SharedBytes {
  absl::string_view bytes;            // aligned for any type
  std::shared_ptr<const void> owner;  // keeps them
};

// Those of a string.
inline SharedBytes Share(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  return {.bytes = *owner, .owner = owner};
}

}  // namespace base

#endif  // BASE_SHARED_BYTES_H_
