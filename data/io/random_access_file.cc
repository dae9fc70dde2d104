#include "data/io/random_access_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "data/io/byte_range.h"

namespace data {

RandomAccessFile::RandomAccessFile(std::string path, std::shared_ptr<FilePool> pool)
    : path_(std::move(path)), pool_(std::move(pool)), key_(pool_ ? pool_->NewKey() : 0) {}

RandomAccessFile::~RandomAccessFile() {
  if (pool_ != nullptr) pool_->Drop(key_);
}

RandomAccessFile& RandomAccessFile::operator=(RandomAccessFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(identity_, other.identity_);
  std::swap(pool_, other.pool_);
  std::swap(key_, other.key_);
  std::swap(own_, other.own_);
  return *this;
}

absl::StatusOr<RandomAccessFile> RandomAccessFile::Open(const std::string& path,
                                                        std::shared_ptr<FilePool> pool) {
  RandomAccessFile file(path, std::move(pool));
  ASSIGN_OR_RETURN(FilePool::Pointer descriptor, file.OpenFile(file.identity_));
  if (file.pool_ != nullptr) {
    file.pool_->Keep(file.key_, std::move(descriptor));
  } else {
    file.own_ = std::move(descriptor);
  }
  return file;
}

absl::StatusOr<FilePool::Pointer> RandomAccessFile::OpenFile(Identity& identity) const {
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return base::ErrnoError("open", path_);
  auto descriptor = std::make_shared<const base::FileDescriptor>(fd);
  struct stat status;
  if (fstat(fd, &status) != 0) return base::ErrnoError("stat", path_);
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": not a regular file"));
  }
  identity = {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size)};
  return descriptor;
}

absl::StatusOr<FilePool::Pointer> RandomAccessFile::Descriptor() const {
  if (pool_ == nullptr) return own_;
  if (FilePool::Pointer open = pool_->Find(key_); open != nullptr) return open;
  Identity found;
  ASSIGN_OR_RETURN(FilePool::Pointer descriptor, OpenFile(found));
  if (found.device != identity_.device || found.inode != identity_.inode) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": was replaced by another file while it was in use"));
  }
  return pool_->Keep(key_, std::move(descriptor));
}

absl::Status RandomAccessFile::Read(uint64_t offset, size_t count, void* to) const {
  ASSIGN_OR_RETURN(const FilePool::Pointer descriptor, Descriptor());
  return ReadAt(descriptor->get(), path_, offset, count, to);
}

void RandomAccessFile::WillRead(uint64_t offset, uint64_t count) const {
  const auto descriptor = Descriptor();
  if (descriptor.ok()) posix_fadvise((*descriptor)->get(), offset, count, POSIX_FADV_WILLNEED);
}

}  // namespace data
