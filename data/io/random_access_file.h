// A read-only file read by position. It stays readable when it is deleted or replaced meanwhile,
// and a file cut short is an error where a memory map would kill the process.
#ifndef DATA_IO_RANDOM_ACCESS_FILE_H_
#define DATA_IO_RANDOM_ACCESS_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace data {

// Movable. Reads may run in several threads at once.
class RandomAccessFile {
 public:
  static absl::StatusOr<RandomAccessFile> Open(const std::string& path);

  RandomAccessFile(RandomAccessFile&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
  RandomAccessFile& operator=(RandomAccessFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~RandomAccessFile();

  const std::string& path() const { return path_; }

  // Bytes, as it was when the file was opened.
  uint64_t size() const { return size_; }

  // Copies bytes [offset, offset + count) to `to`. DataLoss if the file ends before.
  absl::Status Read(uint64_t offset, size_t count, void* to) const;

  // Asks the system to read bytes [offset, offset + count) ahead.
  void WillRead(uint64_t offset, uint64_t count) const;

 private:
  RandomAccessFile(std::string path, int fd, uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  std::string path_;
  int fd_;
  uint64_t size_;
};

}  // namespace data

#endif  // DATA_IO_RANDOM_ACCESS_FILE_H_
