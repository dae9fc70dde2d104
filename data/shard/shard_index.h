// What opening a folder of shards finds out, as one block of bytes that processes may share.
#ifndef DATA_SHARD_SHARD_INDEX_H_
#define DATA_SHARD_SHARD_INDEX_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/shared_bytes.h"
#include "data/io/sample_field.h"
#include "data/shard/shard_format.h"

namespace data {

struct ShardIndex {
  struct Shard {
    std::string file;  // inside the folder
    ShardHeader header;
    absl::Span<const ShardRecord> records;
  };
  std::vector<std::string> class_names;
  std::vector<SampleField> fields;
  std::vector<Shard> shards;
  std::shared_ptr<const void> owner;  // of the records
};

// For processes of the same program on the same machine: it is no file format.
std::string EncodeShardIndex(const ShardIndex& index);

// The records stay where they are. Internal if the bytes are not what EncodeShardIndex makes.
absl::StatusOr<ShardIndex> DecodeShardIndex(base::SharedBytes bytes);

}  // namespace data

#endif  // DATA_SHARD_SHARD_INDEX_H_
