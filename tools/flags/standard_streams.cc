#include "tools/flags/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace tools {

void OccupyClosedStreams() {
  // open takes the lowest free descriptor.
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDONLY) != fd) return;
  }
}

absl::Status FlushStandardOutput() {
  std::cout.flush();
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout) && std::cout.good()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "standard output: ", errno == 0 ? "could not be written" : std::strerror(errno)));
}

}  // namespace tools
