#include "data/remote/remote_store.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/remote/cached_object.h"
#include "data/remote/remote_object.h"
#include "data/remote/s3_address.h"

namespace data {

absl::StatusOr<std::unique_ptr<RemoteStore>> RemoteStore::Create(const RemoteOptions& options) {
  std::unique_ptr<RemoteStore> store(new RemoteStore(options));
  if (!options.cache_folder.empty()) {
    ASSIGN_OR_RETURN(store->cache_, NodeCache::Open(options.cache_folder, options.cache_bytes));
  }
  return store;
}

RemoteStore::RemoteStore(const RemoteOptions& options)
    : options_(options),
      client_(std::make_shared<HttpClient>(options.http)),
      threads_(std::make_shared<IoThreads>(options.http.depth)),
      runs_(std::make_shared<RunReader>(options.run_bytes, (options.http.depth + 1) / 2)) {}

absl::StatusOr<HttpGet> RemoteStore::GetOf(const std::string& location) {
  if (absl::StartsWith(location, "s3://")) {
    const std::lock_guard lock(mutex_);
    if (!aws_) {
      auto settings = ReadAwsSettings();
      if (!settings.ok()) {
        return absl::Status(settings.status().code(),
                            absl::StrCat(location, ": ", settings.status().message()));
      }
      aws_ = *std::move(settings);
    }
    return S3Get(location, *aws_);
  }
  if (!absl::StartsWith(location, "http://") && !absl::StartsWith(location, "https://")) {
    return absl::InvalidArgumentError(
        absl::StrCat(location, ": is neither http://, https:// nor s3://"));
  }
  // Not repeated: it may be secret.
  if (location.find('@') != std::string::npos) {
    return absl::InvalidArgumentError("a URL with '@': a name and a password would be logged");
  }
  if (location.find_first_of("?#") != std::string::npos) {
    return absl::InvalidArgumentError("a URL with '?' or '#': names of files are added to it");
  }
  HttpGet get;
  get.name = get.url = location;
  return get;
}

absl::StatusOr<std::shared_ptr<const ByteSource>> RemoteStore::Open(const std::string& location,
                                                                    absl::string_view content) {
  ASSIGN_OR_RETURN(HttpGet get, GetOf(location));
  // Without `content` it could have changed.
  if (cache_ == nullptr || content.empty()) {
    ASSIGN_OR_RETURN(auto object, RemoteObject::Open(client_, std::move(get)));
    return std::make_shared<const RunSource>(std::move(object), runs_);
  }
  return CachedObject::Open(client_, cache_, threads_, std::move(get), content);
}

absl::StatusOr<std::shared_ptr<const ByteSource>> RemoteStore::OpenKnown(
    const std::string& location, absl::string_view content, uint64_t size) {
  if (cache_ != nullptr) return Open(location, content);  // Which has asked before.
  ASSIGN_OR_RETURN(HttpGet get, GetOf(location));
  return std::make_shared<const RunSource>(
      std::make_shared<const RemoteObject>(client_, std::move(get), size), runs_);
}

}  // namespace data
