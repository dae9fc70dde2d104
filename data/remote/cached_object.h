// An object of a server, read through the node's cache.
#ifndef DATA_REMOTE_CACHED_OBJECT_H_
#define DATA_REMOTE_CACHED_OBJECT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/byte_source.h"
#include "data/io/io_threads.h"
#include "data/remote/http_client.h"
#include "data/remote/node_cache.h"

namespace data {

// Downloads blocks of a mebibyte.
class CachedObject : public ByteSource {
 public:
  // URL and `content` tell the object from others: one that the cache knows is not asked for.
  static absl::StatusOr<std::shared_ptr<const CachedObject>> Open(
      std::shared_ptr<HttpClient> client, std::shared_ptr<NodeCache> cache,
      std::shared_ptr<IoThreads> threads, HttpGet get, absl::string_view content);

  const std::string& name() const override;
  uint64_t size() const override;
  void Start(uint64_t offset, size_t count, void* to, Done done) const override;
  absl::Status Read(uint64_t offset, size_t count, void* to) const override;
  void WillRead(uint64_t offset, uint64_t count) const override;
  bool Refetch(uint64_t offset, uint64_t count) const override;

 private:
  class Blocks;

  CachedObject(std::shared_ptr<const Blocks> blocks, std::shared_ptr<IoThreads> threads);

  const std::shared_ptr<const Blocks> blocks_;  // which hints under way share
  const std::shared_ptr<IoThreads> threads_;
};

}  // namespace data

#endif  // DATA_REMOTE_CACHED_OBJECT_H_
