// dataset.json, the file that makes a folder of shards a dataset. It is written last, so a folder
// without it is not (yet) a dataset.
#ifndef DATA_SHARD_SHARD_MANIFEST_H_
#define DATA_SHARD_SHARD_MANIFEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/sample_field.h"

namespace data {

struct ShardManifest {
  struct Shard {
    std::string file;  // inside the folder
    int64_t samples = 0;
    // From the shard's header: tells a shard of this dataset from another of the same name.
    uint64_t index_checksum = 0;
  };
  std::vector<std::string> class_names;
  std::vector<SampleField> fields;  // that every sample ends with
  std::vector<Shard> shards;
};

inline constexpr char kShardManifestFile[] = "dataset.json";

// Errors name the file and the field. The text of one, which errors call `name`:
absl::StatusOr<ShardManifest> ParseShardManifest(absl::string_view text, const std::string& name);
absl::StatusOr<ShardManifest> ReadShardManifest(const std::string& folder);

absl::Status WriteShardManifest(const std::string& folder, const ShardManifest& manifest);

}  // namespace data

#endif  // DATA_SHARD_SHARD_MANIFEST_H_
