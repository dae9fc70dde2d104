#include "data/io/byte_range.h"

#include <errno.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace data {
namespace {

absl::Status EndsInside(absl::string_view name, uint64_t end, uint64_t offset, size_t count) {
  return absl::DataLossError(
      absl::StrCat(name, ": ends at byte ", end, ", inside the ", count, " bytes at ", offset));
}

}  // namespace

absl::Status CheckRange(absl::string_view name, uint64_t size, uint64_t offset, size_t count) {
  if (offset <= size && count <= size - offset) return absl::OkStatus();
  return EndsInside(name, size, offset, count);
}

absl::Status ReadAt(int fd, absl::string_view name, uint64_t offset, size_t count, void* to) {
  size_t done = 0;
  while (done < count) {
    const ssize_t n = pread(fd, static_cast<char*>(to) + done, count - done, offset + done);
    if (n > 0) {
      done += n;
    } else if (n == 0) {
      return EndsInside(name, offset + done, offset, count);
    } else if (errno != EINTR) {
      return base::ErrnoError("read", name);
    }
  }
  return absl::OkStatus();
}

}  // namespace data
