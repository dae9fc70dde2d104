// Reads one shard file: any sample by its index, each checked against its checksum.
#ifndef DATA_SHARD_SHARD_READER_H_
#define DATA_SHARD_SHARD_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/io/file_pool.h"
#include "data/io/random_access_file.h"
#include "data/io/scratch_buffer.h"
#include "data/shard/shard_format.h"

namespace data {

// Keeps 32 bytes per sample in memory. Const methods may run in several threads at once.
class ShardReader {
 public:
  // Checks header, file size and the whole index. DataLoss or InvalidArgument, naming the file.
  // `pool` as in RandomAccessFile.
  static absl::StatusOr<ShardReader> Open(const std::string& path,
                                          std::shared_ptr<FilePool> pool = nullptr);

  const std::string& path() const { return file_.path(); }
  const ShardHeader& header() const { return header_; }
  int64_t size() const { return records_.size(); }

  // The index's entry of a sample: label, size in pixels and bytes, encoding.
  const ShardRecord& record(int64_t index) const { return records_[index]; }

  // The name given when the sample was packed, read from the file; "" if that is no longer
  // possible.
  std::string name(int64_t index) const;

  // The inputs left out when the shard was packed: (name, reason).
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Rejected() const;

  // The sample, in `buffer`. DataLoss unless its checksum holds.
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const;

  // Asks the system to read samples [first, last) ahead.
  void WillRead(int64_t first, int64_t last) const;

 private:
  ShardReader(RandomAccessFile file, ShardHeader header, std::vector<ShardRecord> records)
      : file_(std::move(file)), header_(header), records_(std::move(records)) {}

  RandomAccessFile file_;
  ShardHeader header_;
  std::vector<ShardRecord> records_;
};

}  // namespace data

#endif  // DATA_SHARD_SHARD_READER_H_
