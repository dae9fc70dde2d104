#include "data/shard/shard_dataset.h"

#include <algorithm>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/shard/shard_manifest.h"
#include "xxhash.h"

namespace data {

absl::StatusOr<std::unique_ptr<ShardDataset>> ShardDataset::Open(const std::string& folder) {
  ASSIGN_OR_RETURN(ShardManifest manifest, ReadShardManifest(folder));
  std::vector<ShardReader> shards;
  for (const ShardManifest::Shard& entry : manifest.shards) {
    ASSIGN_OR_RETURN(ShardReader shard, ShardReader::Open(absl::StrCat(folder, "/", entry.file)));
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
    shards.push_back(std::move(shard));
  }
  return absl::WrapUnique(new ShardDataset(std::move(manifest.class_names), std::move(shards)));
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

void ShardDataset::WillRead(int64_t first, int64_t last) const {
  while (first < last) {
    const auto [shard, local] = Locate(first);
    const int64_t count = std::min(last - first, shard.size() - local);
    shard.WillRead(local, local + count);
    first += count;
  }
}

}  // namespace data
