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
  enum class Kind {
    kFile,
    kFolder,
    kHardLink,  // of a member before it
    kSymbolicLink,
    kSparse,  // a file without its holes, which is not read
    kOther,   // a device, a pipe and the like
  };

  std::string name;
  Kind kind = Kind::kFile;
  std::string target;   // of a link
  uint64_t header = 0;  // where the member begins in the archive
  uint64_t offset = 0;  // of the content
  uint64_t size = 0;
};

// All members of `archive`, in order. DataLoss, naming archive and offset, if a header's checksum
// is wrong, a member leaves the file, the end-of-archive block is missing, or anything but zeros
// follows it: as when archives are joined, whose later members most programs do not see.
absl::StatusOr<std::vector<TarMember>> ListTar(const RandomAccessFile& archive);

}  // namespace data

#endif  // DATA_IO_TAR_ARCHIVE_H_
