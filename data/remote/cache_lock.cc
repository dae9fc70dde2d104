#include "data/remote/cache_lock.h"

#include <errno.h>
#include <fcntl.h>

#include <memory>
#include <utility>

#include "base/file.h"

namespace data {

absl::StatusOr<CacheLock> CacheLock::Acquire(const std::string& path, uint64_t place) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return base::ErrnoError("open", path);
  CacheLock lock(std::make_shared<const base::FileDescriptor>(fd));
  // Of the open file, not of the process: threads wait for each other, too.
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(place);
  range.l_len = 1;
  while (fcntl(fd, F_OFD_SETLKW, &range) != 0) {
    if (errno != EINTR) return base::ErrnoError("lock", path);
  }
  return lock;
}

}  // namespace data
