#include "data/io/random_access_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace data {

absl::StatusOr<RandomAccessFile> RandomAccessFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return base::ErrnoError("open", path);
  RandomAccessFile file(path, fd, 0);
  struct stat status;
  if (fstat(fd, &status) != 0) return base::ErrnoError("stat", path);
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a regular file"));
  }
  file.size_ = status.st_size;
  return file;
}

RandomAccessFile::~RandomAccessFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status RandomAccessFile::Read(uint64_t offset, size_t count, void* to) const {
  size_t done = 0;
  while (done < count) {
    const ssize_t n = pread(fd_, static_cast<char*>(to) + done, count - done, offset + done);
    if (n > 0) {
      done += n;
    } else if (n == 0) {
      return absl::DataLossError(absl::StrCat(path_, ": ends at byte ", offset + done,
                                              ", inside the ", count, " bytes at ", offset));
    } else if (errno != EINTR) {
      return base::ErrnoError("read", path_);
    }
  }
  return absl::OkStatus();
}

void RandomAccessFile::WillRead(uint64_t offset, uint64_t count) const {
  posix_fadvise(fd_, offset, count, POSIX_FADV_WILLNEED);
}

}  // namespace data
