// Files of this machine as byte sources.
#ifndef DATA_IO_LOCAL_STORE_H_
#define DATA_IO_LOCAL_STORE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/byte_source.h"
#include "data/io/file_pool.h"
#include "data/io/io_threads.h"

namespace data {

// Read waits on the caller's thread, Start and WillRead on the store's.
class LocalStore : public ByteStore {
 public:
  // Holds `open_files` files open at most, beside those being read from; one that is deleted or
  // replaced meanwhile is an error once it has to be opened again.
  explicit LocalStore(size_t open_files = 64, int depth = 4);

  absl::StatusOr<std::shared_ptr<const ByteSource>> Open(const std::string& location,
                                                         absl::string_view content = "") override;
  int depth() const override { return threads_->depth(); }

 private:
  const std::shared_ptr<FilePool> pool_;
  const std::shared_ptr<IoThreads> threads_;
};

}  // namespace data

#endif  // DATA_IO_LOCAL_STORE_H_
