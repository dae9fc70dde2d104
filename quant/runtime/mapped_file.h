// A file's bytes without copying them.
#ifndef QUANT_RUNTIME_MAPPED_FILE_H_
#define QUANT_RUNTIME_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace quant::runtime {

// Read only. A file that another process cuts short while it is mapped ends this one: keep it only
// as long as it is being read.
class MappedFile {
 public:
  // NotFound, PermissionDenied or the like, naming the path; InvalidArgument unless it is a file.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  absl::Span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  const uint8_t* data_;
  size_t size_;
};

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_MAPPED_FILE_H_
