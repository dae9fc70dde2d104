// A source that is opened when it is first read from.
#ifndef DATA_IO_LATER_SOURCE_H_
#define DATA_IO_LATER_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/io/byte_source.h"

namespace data {

class LaterSource : public ByteSource {
 public:
  // What `store` opens at `location` with `content`, which has `size` bytes and begins with `head`:
  // FailedPrecondition of a read if it turns out to be another, else the errors of Open.
  LaterSource(std::shared_ptr<ByteStore> store, std::string location, std::string content,
              uint64_t size, std::string head)
      : store_(std::move(store)),
        location_(std::move(location)),
        content_(std::move(content)),
        size_(size),
        head_(std::move(head)) {}

  const std::string& name() const override { return location_; }
  uint64_t size() const override { return size_; }
  void Start(uint64_t offset, size_t count, void* to, Done done) const override;
  absl::Status Read(uint64_t offset, size_t count, void* to) const override;
  void WillRead(uint64_t offset, uint64_t count) const override;
  void Forget() const override;
  bool Refetch(uint64_t offset, uint64_t count) const override;

 private:
  absl::StatusOr<std::shared_ptr<const ByteSource>> Source() const;

  const std::shared_ptr<ByteStore> store_;
  const std::string location_;
  const std::string content_;
  const uint64_t size_;
  const std::string head_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const ByteSource> source_;
};

}  // namespace data

#endif  // DATA_IO_LATER_SOURCE_H_
