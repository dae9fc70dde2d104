// Keeps a bounded number of files open, however many are read: ImageNet-21k has more shards than a
// process may have descriptors.
#ifndef DATA_IO_FILE_POOL_H_
#define DATA_IO_FILE_POOL_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/file_descriptor.h"

namespace data {

// Thread-safe.
class FilePool {
 public:
  using Pointer = std::shared_ptr<const base::FileDescriptor>;

  // Holds up to `capacity` descriptors, more than none. Those being read from may be as many more
  // as there are threads.
  explicit FilePool(size_t capacity) : capacity_(capacity) {}

  // A number for one more file.
  uint64_t NewKey();

  // The descriptor kept for `key`; null if there is none or it had to give way.
  Pointer Find(uint64_t key);

  // Keeps a descriptor; the one unused for longest gives way. Returns what is kept for `key`: that
  // of another thread, if it came first.
  Pointer Keep(uint64_t key, Pointer descriptor);

  void Drop(uint64_t key);

 private:
  using Entry = std::pair<uint64_t, Pointer>;

  const size_t capacity_;
  std::mutex mutex_;  // Guards what follows.
  uint64_t keys_ = 0;
  std::list<Entry> entries_;  // the one used last is first
  std::unordered_map<uint64_t, std::list<Entry>::iterator> places_;
};

}  // namespace data

#endif  // DATA_IO_FILE_POOL_H_
