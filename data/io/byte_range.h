// Ranges of bytes, which files and objects may be too short for.
#ifndef DATA_IO_BYTE_RANGE_H_
#define DATA_IO_BYTE_RANGE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace data {

// DataLoss, calling it `name`, if what has `size` bytes ends before [offset, offset + count) does.
absl::Status CheckRange(absl::string_view name, uint64_t size, uint64_t offset, size_t count);

// Copies bytes [offset, offset + count) of the open file `fd` to `to`. DataLoss, calling it `name`,
// if it ends before; else the system's error.
absl::Status ReadAt(int fd, absl::string_view name, uint64_t offset, size_t count, void* to);

}  // namespace data

#endif  // DATA_IO_BYTE_RANGE_H_
