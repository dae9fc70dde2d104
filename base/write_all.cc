#include "base/write_all.h"

#include <errno.h>
#include <unistd.h>

namespace base {

bool WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(n);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace base
