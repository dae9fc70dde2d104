#include "data/shard/shard_dataset.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/io/local_store.h"
#include "data/shard/shard_manifest.h"
#include "data/sources/input_listing.h"
#include "data/sources/left_alone.h"
#include "xxhash.h"

namespace data {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<ShardReader> OpenShard(const std::string& folder, const ShardManifest& manifest,
                                      const ShardManifest::Shard& entry, ByteStore& store) {
  ASSIGN_OR_RETURN(auto source,
                   store.Open(absl::StrCat(folder, "/", entry.file),
                              absl::StrCat(absl::Hex(entry.index_checksum, absl::kZeroPad16))));
  ASSIGN_OR_RETURN(ShardReader shard, ShardReader::Open(std::move(source)));
  if (shard.size() != entry.samples || shard.header().index_checksum != entry.index_checksum) {
    return absl::DataLossError(
        absl::StrCat(shard.path(), ": is not the shard that ", kShardManifestFile, " lists"));
  }
  for (int64_t i = 0; i < shard.size(); ++i) {
    if (shard.record(i).label >= manifest.class_names.size()) {
      return absl::DataLossError(absl::StrCat(shard.path(), ": sample ", i, " has label ",
                                              shard.record(i).label, " of ",
                                              manifest.class_names.size(), " classes"));
    }
  }
  return shard;
}

// As many at a time as the store reads.
absl::StatusOr<std::vector<ShardReader>> OpenShards(const std::string& folder,
                                                    const ShardManifest& manifest,
                                                    ByteStore& store) {
  const size_t count = manifest.shards.size();
  std::vector<std::optional<absl::StatusOr<ShardReader>>> opened(count);
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&] {
    for (size_t i = next++; i < count && !failed; i = next++) {
      opened[i] = OpenShard(folder, manifest, manifest.shards[i], store);
      if (!opened[i]->ok()) failed = true;
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min<size_t>(count, store.depth()); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  std::vector<ShardReader> shards;
  for (auto& shard : opened) {
    // Those behind an error may be left unopened.
    if (!shard) continue;
    RETURN_IF_ERROR(shard->status());
    shards.push_back(**std::move(shard));
  }
  return shards;
}

// JSON that came wrongly from a server comes rightly when it is fetched once more.
absl::StatusOr<ShardManifest> ReadManifest(const std::string& location, ByteStore& store) {
  ASSIGN_OR_RETURN(const auto source, store.Open(location));
  ASSIGN_OR_RETURN(std::string text, ReadAll(*source));
  auto manifest = ParseShardManifest(text, location);
  if (!manifest.ok() && source->Refetch(0, text.size())) {
    RETURN_IF_ERROR(source->Read(0, text.size(), text.data()));
    manifest = ParseShardManifest(text, location);
  }
  return manifest;
}

absl::Status AddUnlisted(const std::string& folder, std::set<std::string> listed,
                         LeftAlone& left_alone) {
  listed.insert(kShardManifestFile);
  std::set<std::string> unlisted;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (!listed.contains(name)) unlisted.insert(name);
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder));
  for (const std::string& name : unlisted) {
    left_alone.Add(name, absl::StrCat("not listed in ", kShardManifestFile));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ShardDataset>> ShardDataset::Open(const std::string& folder,
                                                                 std::shared_ptr<ByteStore> store) {
  if (store == nullptr) store = std::make_shared<LocalStore>();
  const std::string manifest_path = absl::StrCat(folder, "/", kShardManifestFile);
  ASSIGN_OR_RETURN(ShardManifest manifest, ReadManifest(manifest_path, *store));
  RETURN_IF_ERROR(CheckClassNamesDiffer(manifest_path, manifest.class_names));
  std::set<std::string> listed;
  for (const ShardManifest::Shard& entry : manifest.shards) {
    if (!listed.insert(entry.file).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(manifest_path, ": lists ", entry.file, " twice"));
    }
  }
  ASSIGN_OR_RETURN(std::vector<ShardReader> shards, OpenShards(folder, manifest, *store));
  LeftAlone left_alone;
  for (const ShardReader& shard : shards) {
    for (const auto& [name, reason] : shard.Rejected()) {
      left_alone.Add(absl::StrCat(name, " (", reason, ")"), "rejected when this was packed");
    }
  }
  if (!IsRemote(folder)) RETURN_IF_ERROR(AddUnlisted(folder, std::move(listed), left_alone));
  auto dataset =
      absl::WrapUnique(new ShardDataset(std::move(manifest.class_names), std::move(shards)));
  dataset->left_alone_ = std::move(left_alone);
  if (IsRemote(folder)) dataset->read_depth_ = store->depth();
  if (dataset->size() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(manifest_path, ": lists no samples"));
  }
  return dataset;
}

ShardDataset::ShardDataset(std::vector<std::string> class_names, std::vector<ShardReader> shards)
    : class_names_(std::move(class_names)), shards_(std::move(shards)), first_{0} {
  for (const ShardReader& shard : shards_) first_.push_back(first_.back() + shard.size());
}

std::pair<const ShardReader&, int64_t> ShardDataset::Locate(int64_t index) const {
  const auto shard = std::upper_bound(first_.begin(), first_.end(), index) - first_.begin() - 1;
  return {shards_[shard], index - first_[shard]};
}

int64_t ShardDataset::label(int64_t index) const {
  const auto [shard, local] = Locate(index);
  return shard.record(local).label;
}

std::string ShardDataset::name(int64_t index) const {
  const auto [shard, local] = Locate(index);
  return shard.name(local);
}

absl::StatusOr<EncodedSample> ShardDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const auto [shard, local] = Locate(index);
  return shard.Read(local, buffer);
}

absl::StatusOr<uint64_t> ShardDataset::Fingerprint() const {
  std::vector<uint64_t> checksums;
  for (const ShardReader& shard : shards_) checksums.push_back(shard.header().index_checksum);
  return XXH3_64bits(checksums.data(), checksums.size() * sizeof(checksums[0]));
}

void ShardDataset::Forget() const {
  for (const ShardReader& shard : shards_) shard.Forget();
}

void ShardDataset::WillRead(int64_t first, int64_t last) const {
  while (first < last) {
    const auto [shard, local] = Locate(first);
    const int64_t count = std::min(last - first, shard.size() - local);
    shard.WillRead(local, local + count);
    first += count;
  }
}

}  // namespace data
