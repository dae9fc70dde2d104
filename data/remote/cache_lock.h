// Locks of bytes of a file, which processes and threads hold against each other. A process that
// ends, in whatever way, holds none.
#ifndef DATA_REMOTE_CACHE_LOCK_H_
#define DATA_REMOTE_CACHE_LOCK_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "data/io/file_pool.h"

namespace data {

class CacheLock {
 public:
  // Waits for byte `place` of the file, which there need not be; makes the file if need be.
  static absl::StatusOr<CacheLock> Acquire(const std::string& path, uint64_t place);

  // The file, open for reading and writing.
  int file() const { return file_->get(); }

 private:
  explicit CacheLock(FilePool::Pointer file) : file_(std::move(file)) {}

  FilePool::Pointer file_;  // Open only here: closed, it unlocks.
};

}  // namespace data

#endif  // DATA_REMOTE_CACHE_LOCK_H_
