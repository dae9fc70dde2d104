#include "data/remote/cached_object.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/io/byte_range.h"
#include "data/remote/remote_object.h"
#include "xxhash.h"

namespace data {
namespace {

constexpr uint64_t kBlock = 1 << 20;

std::string HashOf(absl::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return absl::StrCat(absl::Hex(hash.high64, absl::kZeroPad16),
                      absl::Hex(hash.low64, absl::kZeroPad16));
}

}  // namespace

class CachedObject::Blocks {
 public:
  Blocks(std::shared_ptr<HttpClient> client, std::shared_ptr<NodeCache> cache, HttpGet get,
         uint64_t size, std::string key)
      : object_(std::move(client), std::move(get), size),
        cache_(std::move(cache)),
        key_(std::move(key)) {}

  const RemoteObject& object() const { return object_; }

  absl::Status Read(uint64_t offset, size_t count, char* to) const {
    RETURN_IF_ERROR(CheckRange(object_.name(), object_.size(), offset, count));
    while (count > 0) {
      const uint64_t block = offset / kBlock, begin = offset % kBlock;
      const size_t part = std::min<uint64_t>(count, kBlock - begin);
      RETURN_IF_ERROR(cache_->Read(KeyOf(block), begin, part, to, FetchOf(block)));
      offset += part, to += part, count -= part;
    }
    return absl::OkStatus();
  }

  void Prepare(uint64_t block) const {
    if (cache_->Has(KeyOf(block))) return;
    // An error comes up again where the bytes are needed.
    (void)cache_->Read(KeyOf(block), 0, 0, nullptr, FetchOf(block));
  }

  void Drop(uint64_t block) const { cache_->Drop(KeyOf(block)); }

 private:
  std::string KeyOf(uint64_t block) const { return absl::StrCat(key_, "-", block); }

  NodeCache::Fetch FetchOf(uint64_t block) const {
    return [this, block]() -> absl::StatusOr<std::string> {
      std::string bytes(std::min(kBlock, object_.size() - block * kBlock), '\0');
      RETURN_IF_ERROR(object_.Read(block * kBlock, bytes.size(), bytes.data()));
      return bytes;
    };
  }

  const RemoteObject object_;
  const std::shared_ptr<NodeCache> cache_;
  const std::string key_;
};

CachedObject::CachedObject(std::shared_ptr<const Blocks> blocks, std::shared_ptr<IoThreads> threads)
    : blocks_(std::move(blocks)), threads_(std::move(threads)) {}

absl::StatusOr<std::shared_ptr<const CachedObject>> CachedObject::Open(
    std::shared_ptr<HttpClient> client, std::shared_ptr<NodeCache> cache,
    std::shared_ptr<IoThreads> threads, HttpGet get, absl::string_view content) {
  std::string key = HashOf(absl::StrCat(get.url, "\n", content));
  const auto ask = [&]() -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(const auto object, RemoteObject::Open(client, get));
    return absl::StrCat(object->size());
  };
  ASSIGN_OR_RETURN(const std::string text, cache->ReadAll(absl::StrCat(key, "-size"), ask));
  uint64_t size = 0;
  if (!absl::SimpleAtoi(text, &size)) {
    return absl::DataLossError(absl::StrCat(get.name, ": its size in the cache is no number"));
  }
  return std::shared_ptr<const CachedObject>(
      new CachedObject(std::make_shared<const Blocks>(std::move(client), std::move(cache),
                                                      std::move(get), size, std::move(key)),
                       std::move(threads)));
}

const std::string& CachedObject::name() const { return blocks_->object().name(); }
uint64_t CachedObject::size() const { return blocks_->object().size(); }

void CachedObject::Start(uint64_t offset, size_t count, void* to, Done done) const {
  threads_->Run(
      [this, offset, count, to, done = std::move(done)] { done(Read(offset, count, to)); });
}

absl::Status CachedObject::Read(uint64_t offset, size_t count, void* to) const {
  return blocks_->Read(offset, count, static_cast<char*>(to));
}

void CachedObject::WillRead(uint64_t offset, uint64_t count) const {
  const uint64_t end = std::min(offset + count, size());
  for (uint64_t block = offset / kBlock; block * kBlock < end; ++block) {
    threads_->Hint([blocks = blocks_, block] { blocks->Prepare(block); });
  }
}

bool CachedObject::Refetch(uint64_t offset, uint64_t count) const {
  for (uint64_t block = offset / kBlock; block * kBlock < offset + count; ++block) {
    blocks_->Drop(block);
  }
  return true;
}

}  // namespace data
