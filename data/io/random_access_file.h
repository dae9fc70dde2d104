// A read-only file read by position. A file cut short is an error where a memory map would kill the
// process.
#ifndef DATA_IO_RANDOM_ACCESS_FILE_H_
#define DATA_IO_RANDOM_ACCESS_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/io/file_pool.h"

namespace data {

// Movable. Reads may run in several threads at once.
class RandomAccessFile {
 public:
  // Without a pool the file stays open, and so readable when it is deleted or replaced meanwhile.
  // With one it may be closed and opened again: gone or another one by then is an error.
  static absl::StatusOr<RandomAccessFile> Open(const std::string& path,
                                               std::shared_ptr<FilePool> pool = nullptr);

  RandomAccessFile(RandomAccessFile&&) = default;
  RandomAccessFile& operator=(RandomAccessFile&& other) noexcept;
  ~RandomAccessFile();

  const std::string& path() const { return path_; }

  // Bytes, as it was when the file was opened.
  uint64_t size() const { return identity_.size; }

  // Copies bytes [offset, offset + count) to `to`. DataLoss if the file ends before; any other
  // error is the system's.
  absl::Status Read(uint64_t offset, size_t count, void* to) const;

  // Asks the system to read bytes [offset, offset + count) ahead.
  void WillRead(uint64_t offset, uint64_t count) const;

 private:
  // Device and inode tell a file from another of its name.
  struct Identity {
    uint64_t device = 0;
    uint64_t inode = 0;
    uint64_t size = 0;
  };

  RandomAccessFile(std::string path, std::shared_ptr<FilePool> pool);

  absl::StatusOr<FilePool::Pointer> OpenFile(Identity& identity) const;
  absl::StatusOr<FilePool::Pointer> Descriptor() const;

  std::string path_;
  Identity identity_;
  std::shared_ptr<FilePool> pool_;
  uint64_t key_ = 0;       // in the pool
  FilePool::Pointer own_;  // without one
};

}  // namespace data

#endif  // DATA_IO_RANDOM_ACCESS_FILE_H_
