// Reads one shard file: any sample by its index, each checked against its checksum.
#ifndef DATA_SHARD_SHARD_READER_H_
#define DATA_SHARD_SHARD_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/io/byte_source.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/shard/shard_format.h"

namespace data {

// Needs 32 bytes of memory per sample. Const methods may run in several threads at once.
class ShardReader {
 public:
  // Checks header, file size and the whole index. DataLoss or InvalidArgument, naming the file.
  static absl::StatusOr<ShardReader> Open(std::shared_ptr<const ByteSource> source);

  // The same for a file of this machine.
  static absl::StatusOr<ShardReader> Open(const std::string& path);

  // One whose index is known and good. `owner` keeps the records.
  ShardReader(std::shared_ptr<const ByteSource> source, const ShardHeader& header,
              absl::Span<const ShardRecord> records, std::shared_ptr<const void> owner)
      : source_(std::move(source)), header_(header), records_(records), owner_(std::move(owner)) {}

  const std::shared_ptr<const ByteSource>& source() const { return source_; }
  const std::string& path() const { return source_->name(); }
  const ShardHeader& header() const { return header_; }
  int64_t size() const { return records_.size(); }

  // The index's entry of a sample: label, size in pixels and bytes, encoding.
  const ShardRecord& record(int64_t index) const { return records_[index]; }
  absl::Span<const ShardRecord> records() const { return records_; }

  // The name given when the sample was packed, read from the source; "" if that is no longer
  // possible.
  std::string name(int64_t index) const;

  // The inputs left out when the shard was packed: (name, reason). Of an opened shard only.
  std::vector<std::pair<std::string, std::string>> Rejected() const;

  // The sample with all of its fields, in `buffer`. DataLoss unless its checksum holds; bytes of a
  // server are fetched once more before that is said.
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const;

  // Has samples [first, last) read ahead.
  void WillRead(int64_t first, int64_t last) const;
  void Forget() const { source_->Forget(); }

 private:
  std::shared_ptr<const ByteSource> source_;
  ShardHeader header_;
  absl::Span<const ShardRecord> records_;
  std::shared_ptr<const void> owner_;
  std::string rejected_;  // as it stands in the index
};

}  // namespace data

#endif  // DATA_SHARD_SHARD_READER_H_
