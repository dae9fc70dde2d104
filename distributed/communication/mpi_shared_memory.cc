#include "distributed/communication/mpi_shared_memory.h"

#include <unistd.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace distributed {

void MpiSharedMemory::Unlink(int rank) {
  std::ifstream mappings("/proc/self/maps");
  for (std::string line; std::getline(mappings, line);) {
    // "FROM-TO rw-s OFFSET DEVICE INODE  /dev/shm/vader_segment.HOST.UID.JOB.RANK"
    const size_t begin = line.find('/');
    if (begin == std::string::npos || !absl::StrContains(line, "/vader_segment.") ||
        !absl::EndsWith(line, absl::StrCat(".", rank))) {
      continue;
    }
    path_ = line.substr(begin);
    unlink(path_.c_str());
    return;
  }
}

void MpiSharedMemory::Relink() const {
  if (!path_.empty()) std::ofstream file(path_);
}

}  // namespace distributed
