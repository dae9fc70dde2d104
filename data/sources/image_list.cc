#include "data/sources/image_list.h"

#include "base/status_macros.h"
#include "data/io/random_access_file.h"
#include "data/sources/image_files.h"

namespace data {

absl::StatusOr<EncodedSample> ImageList::Read(int64_t index, ScratchBuffer& buffer) const {
  ASSIGN_OR_RETURN(const RandomAccessFile file, RandomAccessFile::Open(paths_[index]));
  uint8_t* const bytes = buffer.Reserve(file.size());
  RETURN_IF_ERROR(file.Read(0, file.size(), bytes));
  EncodedSample sample;
  sample.bytes = {bytes, file.size()};
  sample.encoding = SniffEncoding(sample.bytes);
  return sample;
}

}  // namespace data
