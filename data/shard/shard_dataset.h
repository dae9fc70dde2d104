// A folder of shards with its dataset.json, as pack writes it.
#ifndef DATA_SHARD_SHARD_DATASET_H_
#define DATA_SHARD_SHARD_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/byte_source.h"
#include "data/io/encoded_sample.h"
#include "data/io/sample_field.h"
#include "data/shard/shard_reader.h"
#include "data/sources/dataset.h"

namespace data {

class ShardDataset : public Dataset {
 public:
  // Opens all shards and checks them against dataset.json. `folder` is a path, or what `store`
  // takes; null is a LocalStore, which holds few files open, however many shards there are. What
  // was rejected when they were packed, and a folder's other files, are left_alone().
  // With `share` one process does so for all, which need not look at a shard before they read from
  // it, and lists what was left alone. InvalidArgument if a field of `choice` is not there.
  static absl::StatusOr<std::unique_ptr<ShardDataset>> Open(
      const std::string& folder, std::shared_ptr<ByteStore> store = nullptr,
      const ShareBytes& share = nullptr, const FieldChoice& choice = {});

  int64_t size() const override { return first_.back(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override;
  std::string name(int64_t index) const override;
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;
  void WillRead(int64_t first, int64_t last) const override;
  void Forget() const override;

  // That of a store of servers.
  int read_depth() const override { return read_depth_; }

  // Of the shards' indexes, which hold the labels and checksums of all samples.
  absl::StatusOr<uint64_t> Fingerprint() const override;

 private:
  ShardDataset(std::vector<std::string> class_names, std::vector<ShardReader> shards);

  // Leaves of the sample's fields those of fields(), and checks their sizes.
  absl::Status Choose(EncodedSample& sample) const;

  // The shard that holds a sample, and the sample's index there.
  std::pair<const ShardReader&, int64_t> Locate(int64_t index) const;

  std::vector<std::string> class_names_;
  std::vector<ShardReader> shards_;
  std::vector<SampleField> packed_fields_;  // of the shards
  std::vector<int> chosen_;                 // of them, fields()
  std::vector<int64_t> first_;              // of each shard, and the total
  int read_depth_ = 0;
};

}  // namespace data

#endif  // DATA_SHARD_SHARD_DATASET_H_
