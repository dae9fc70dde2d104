// Objects of servers as byte sources: http://, https:// and s3://.
#ifndef DATA_REMOTE_REMOTE_STORE_H_
#define DATA_REMOTE_REMOTE_STORE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/byte_source.h"
#include "data/io/io_threads.h"
#include "data/remote/aws_settings.h"
#include "data/remote/http_client.h"
#include "data/remote/node_cache.h"
#include "data/remote/run_reader.h"

namespace data {

struct RemoteOptions {
  HttpOptions http;
  std::string cache_folder;  // empty: no cache
  uint64_t cache_bytes = 0;
  // Of announced runs, which a request each brings into memory, where there is no cache; 0: samples
  // are read one by one.
  uint64_t run_bytes = 0;
};

class RemoteStore : public ByteStore {
 public:
  // Errors are those of NodeCache::Open.
  static absl::StatusOr<std::unique_ptr<RemoteStore>> Create(const RemoteOptions& options);

  // InvalidArgument for what is none of the three, or has a password or a query; else as
  // HttpClient, ReadAwsSettings and S3Get say. Keys are looked for when the first s3:// is opened.
  absl::StatusOr<std::shared_ptr<const ByteSource>> Open(const std::string& location,
                                                         absl::string_view content = "") override;
  absl::StatusOr<std::shared_ptr<const ByteSource>> OpenKnown(const std::string& location,
                                                              absl::string_view content,
                                                              uint64_t size) override;
  int depth() const override { return options_.http.depth; }

 private:
  explicit RemoteStore(const RemoteOptions& options);

  absl::StatusOr<HttpGet> GetOf(const std::string& location);

  const RemoteOptions options_;
  const std::shared_ptr<HttpClient> client_;
  const std::shared_ptr<IoThreads> threads_;
  std::shared_ptr<NodeCache> cache_;
  const std::shared_ptr<RunReader> runs_;
  std::mutex mutex_;  // Guards what follows.
  std::optional<AwsSettings> aws_;
};

}  // namespace data

#endif  // DATA_REMOTE_REMOTE_STORE_H_
