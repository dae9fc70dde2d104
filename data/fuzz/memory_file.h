// Gives bytes in memory to code that opens a path.
#ifndef DATA_FUZZ_MEMORY_FILE_H_
#define DATA_FUZZ_MEMORY_FILE_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace data {

class MemoryFile {
 public:
  MemoryFile(const void* bytes, size_t size) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    PCHECK(fd_ >= 0 && write(fd_, bytes, size) == static_cast<ssize_t>(size));
  }
  MemoryFile(const MemoryFile&) = delete;
  ~MemoryFile() { close(fd_); }

  std::string path() const { return absl::StrCat("/proc/self/fd/", fd_); }

 private:
  const int fd_;
};

}  // namespace data

#endif  // DATA_FUZZ_MEMORY_FILE_H_
