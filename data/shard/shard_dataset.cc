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
#include "data/io/later_source.h"
#include "data/io/local_store.h"
#include "data/shard/shard_index.h"
#include "data/shard/shard_manifest.h"
#include "data/sources/input_listing.h"
#include "data/sources/left_alone.h"
#include "xxhash.h"

namespace data {
namespace {

namespace fs = std::filesystem;

std::string ContentOf(uint64_t index_checksum) {
  return absl::StrCat(absl::Hex(index_checksum, absl::kZeroPad16));
}

absl::StatusOr<ShardReader> OpenShard(const std::string& folder, const ShardManifest& manifest,
                                      const ShardManifest::Shard& entry, ByteStore& store) {
  ASSIGN_OR_RETURN(auto source, store.Open(absl::StrCat(folder, "/", entry.file),
                                           ContentOf(entry.index_checksum)));
  ASSIGN_OR_RETURN(ShardReader shard, ShardReader::Open(std::move(source)));
  if (shard.size() != entry.samples || shard.header().index_checksum != entry.index_checksum) {
    return absl::DataLossError(
        absl::StrCat(shard.path(), ": is not the shard that ", kShardManifestFile, " lists"));
  }
  if (shard.header().has_fields != !manifest.fields.empty() && shard.size() > 0) {
    return absl::DataLossError(absl::StrCat(shard.path(), ": has ",
                                            shard.header().has_fields ? "fields" : "no fields",
                                            ", other than ", kShardManifestFile, " says"));
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

// Opens and checks all shards of a folder.
absl::StatusOr<std::string> MakeIndex(const std::string& folder, ByteStore& store,
                                      std::vector<std::shared_ptr<const ByteSource>>& sources,
                                      LeftAlone& left_alone) {
  const std::string manifest_path = absl::StrCat(folder, "/", kShardManifestFile);
  ASSIGN_OR_RETURN(ShardManifest manifest, ReadManifest(manifest_path, store));
  RETURN_IF_ERROR(CheckClassNamesDiffer(manifest_path, manifest.class_names));
  std::set<std::string> listed;
  for (const ShardManifest::Shard& entry : manifest.shards) {
    if (!listed.insert(entry.file).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(manifest_path, ": lists ", entry.file, " twice"));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<ShardReader> shards, OpenShards(folder, manifest, store));
  ShardIndex index;
  index.class_names = std::move(manifest.class_names);
  index.fields = std::move(manifest.fields);
  int64_t samples = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    samples += shards[i].size();
    sources.push_back(shards[i].source());
    index.shards.push_back({manifest.shards[i].file, shards[i].header(), shards[i].records()});
    for (const auto& [name, reason] : shards[i].Rejected()) {
      left_alone.Add(absl::StrCat(name, " (", reason, ")"), "rejected when this was packed");
    }
  }
  if (samples == 0) {
    return absl::InvalidArgumentError(absl::StrCat(manifest_path, ": lists no samples"));
  }
  if (!IsRemote(folder)) RETURN_IF_ERROR(AddUnlisted(folder, std::move(listed), left_alone));
  return EncodeShardIndex(index);
}

// A shard that another process has looked at.
absl::StatusOr<std::shared_ptr<const ByteSource>> OpenLater(const std::string& location,
                                                            const ShardIndex::Shard& shard,
                                                            std::shared_ptr<ByteStore> store) {
  const std::string content = ContentOf(shard.header.index_checksum);
  const uint64_t size = shard.header.file_size;
  ASSIGN_OR_RETURN(auto source, store->OpenKnown(location, content, size));
  if (source != nullptr) return source;
  return std::make_shared<const LaterSource>(std::move(store), location, content, size,
                                             EncodeShardHeader(shard.header));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ShardDataset>> ShardDataset::Open(const std::string& folder,
                                                                 std::shared_ptr<ByteStore> store,
                                                                 const ShareBytes& share,
                                                                 const FieldChoice& choice) {
  if (store == nullptr) store = std::make_shared<LocalStore>();
  // Of the process that makes the index.
  LeftAlone left_alone;
  std::vector<std::shared_ptr<const ByteSource>> sources;
  const auto make = [&]() -> absl::StatusOr<std::string> {
    return MakeIndex(folder, *store, sources, left_alone);
  };
  base::SharedBytes bytes;
  if (share) {
    ASSIGN_OR_RETURN(bytes, share(make));
  } else {
    ASSIGN_OR_RETURN(std::string own, make());
    bytes = base::Share(std::move(own));
  }
  ASSIGN_OR_RETURN(ShardIndex index, DecodeShardIndex(std::move(bytes)));
  ASSIGN_OR_RETURN(std::vector<int> chosen, ChooseFields(folder, index.fields, choice));
  std::vector<ShardReader> shards;
  for (size_t i = 0; i < index.shards.size(); ++i) {
    const ShardIndex::Shard& shard = index.shards[i];
    std::shared_ptr<const ByteSource> source;
    if (sources.empty()) {
      ASSIGN_OR_RETURN(source, OpenLater(absl::StrCat(folder, "/", shard.file), shard, store));
    } else {
      source = std::move(sources[i]);
    }
    shards.emplace_back(std::move(source), shard.header, shard.records, index.owner);
  }
  auto dataset =
      absl::WrapUnique(new ShardDataset(std::move(index.class_names), std::move(shards)));
  dataset->left_alone_ = std::move(left_alone);
  for (const int field : chosen) dataset->fields_.push_back(index.fields[field]);
  dataset->packed_fields_ = std::move(index.fields);
  dataset->chosen_ = std::move(chosen);
  if (IsRemote(folder)) dataset->read_depth_ = store->depth();
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
  ASSIGN_OR_RETURN(EncodedSample sample, shard.Read(local, buffer));
  if (const absl::Status status = Choose(sample); !status.ok()) {
    return absl::DataLossError(absl::StrCat(shard.path(), ": sample ", local, " (",
                                            shard.name(local), "): ", status.message()));
  }
  return sample;
}

absl::Status ShardDataset::Choose(EncodedSample& sample) const {
  if (sample.fields.size() != packed_fields_.size()) {
    return absl::DataLossError(absl::StrCat("has ", sample.fields.size(), " fields of the ",
                                            packed_fields_.size(), " that ", kShardManifestFile,
                                            " lists"));
  }
  const auto all = std::move(sample.fields);
  sample.fields.clear();
  for (size_t i = 0; i < chosen_.size(); ++i) {
    sample.fields.push_back(all[chosen_[i]]);
    RETURN_IF_ERROR(CheckFieldSize(fields_[i], sample.fields.back()));
  }
  return absl::OkStatus();
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
