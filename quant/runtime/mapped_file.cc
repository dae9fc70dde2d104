#include "quant/runtime/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace quant::runtime {
namespace {

absl::StatusOr<absl::Span<const uint8_t>> Map(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return base::ErrnoError("stat", path);
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, ": is no file"));
  const size_t size = info.st_size;
  if (size == 0) return absl::Span<const uint8_t>();
  void* const data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return base::ErrnoError("map", path);
  return absl::MakeConstSpan(static_cast<const uint8_t*>(data), size);
}

}  // namespace

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return base::ErrnoError("open", path);
  const absl::StatusOr<absl::Span<const uint8_t>> bytes = Map(fd, path);
  close(fd);
  if (!bytes.ok()) return bytes.status();
  return MappedFile(bytes->data(), bytes->size());
}

MappedFile::~MappedFile() {
  if (size_ > 0) munmap(const_cast<uint8_t*>(data_), size_);
}

}  // namespace quant::runtime
