// The members of a tar archive (POSIX ustar and pax, and GNU's long names).
#ifndef DATA_IO_TAR_ARCHIVE_H_
#define DATA_IO_TAR_ARCHIVE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/random_access_file.h"

namespace data {

struct TarMember {
  std::string name;
  uint64_t offset;  // of the content in the archive
  uint64_t size;
};

// The regular files in `archive`, in order. DataLoss, naming archive and offset, if a header's
// checksum is wrong, a member leaves the file, or the end-of-archive block is missing.
absl::StatusOr<std::vector<TarMember>> ListTar(const RandomAccessFile& archive);

}  // namespace data

#endif  // DATA_IO_TAR_ARCHIVE_H_
