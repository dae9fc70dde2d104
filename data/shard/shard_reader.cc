#include "data/shard/shard_reader.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "data/io/little_endian.h"
#include "data/io/local_store.h"

namespace data {
namespace {

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

// The samples must fill the space between header and index without a gap, so none overlap.
absl::StatusOr<std::vector<ShardRecord>> DecodeRecords(const ShardHeader& header,
                                                       absl::string_view index) {
  std::vector<ShardRecord> records;
  records.reserve(header.sample_count);
  uint64_t end = kShardHeaderSize;
  for (uint32_t i = 0; i < header.sample_count; ++i) {
    auto record =
        DecodeShardRecord(index.substr(i * kShardRecordSize, kShardRecordSize), header.has_fields);
    if (record.ok() && record->offset != end) {
      record = absl::DataLossError("does not start where the sample before it ends");
    }
    if (!record.ok()) {
      return absl::DataLossError(
          absl::StrCat("index, sample ", i, ": ", record.status().message()));
    }
    end += record->size;
    records.push_back(*record);
  }
  if (end != header.records_offset) {
    return absl::DataLossError("index: the samples do not end where the index starts");
  }
  return records;
}

absl::Status CheckNames(const ShardHeader& header, absl::string_view index) {
  const char* offsets = index.data() + (header.names_offset - header.records_offset);
  const uint64_t size = header.rejected_offset - header.names_offset -
                        (uint64_t{header.sample_count} + 1) * sizeof(uint32_t);
  uint32_t last = 0;
  for (uint32_t i = 0; i <= header.sample_count; ++i) {
    const auto offset = LoadLittle<uint32_t>(offsets + i * sizeof(uint32_t));
    if (offset < last || offset > size) {
      return absl::DataLossError(
          absl::StrCat("index: the name of sample ", i, " leaves the names"));
    }
    last = offset;
  }
  return absl::OkStatus();
}

// Bytes whose checksum has to be `checksum`: those of a server are fetched once more if it is not.
// What they are, `what`, if they are damaged all the same.
absl::Status ReadChecked(const ByteSource& source, uint64_t offset, size_t count, char* to,
                         uint64_t checksum, const std::function<std::string()>& what) {
  RETURN_IF_ERROR(source.Read(offset, count, to));
  if (ShardChecksum({to, count}) == checksum) return absl::OkStatus();
  const bool again = source.Refetch(offset, count);
  if (again) {
    RETURN_IF_ERROR(source.Read(offset, count, to));
    if (ShardChecksum({to, count}) == checksum) return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(source.name(), ": ", what(), ": its checksum differs",
                                          again ? ", also when fetched again" : ""));
}

// A header that came wrongly from a server comes rightly when it is fetched once more.
absl::StatusOr<ShardHeader> ReadHeader(const ByteSource& source) {
  std::string bytes(kShardHeaderSize, '\0');
  RETURN_IF_ERROR(source.Read(0, bytes.size(), bytes.data()));
  auto header = DecodeShardHeader(bytes);
  if (!header.ok() && source.Refetch(0, bytes.size())) {
    RETURN_IF_ERROR(source.Read(0, bytes.size(), bytes.data()));
    header = DecodeShardHeader(bytes);
  }
  return header;
}

}  // namespace

absl::StatusOr<ShardReader> ShardReader::Open(const std::string& path) {
  ASSIGN_OR_RETURN(auto source, LocalStore(/*open_files=*/1).Open(path));
  return Open(std::move(source));
}

absl::StatusOr<ShardReader> ShardReader::Open(std::shared_ptr<const ByteSource> source) {
  const std::string& path = source->name();
  if (source->size() < kShardHeaderSize) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a shard: shorter than a header"));
  }
  const auto header = ReadHeader(*source);
  if (!header.ok()) return InFile(path, header.status());
  if (header->file_size != source->size()) {
    return absl::DataLossError(
        absl::StrCat(path, ": ", source->size(), " bytes of a shard of ", header->file_size));
  }
  std::string index(header->file_size - header->records_offset, '\0');
  RETURN_IF_ERROR(ReadChecked(*source, header->records_offset, index.size(), index.data(),
                              header->index_checksum, [] { return "damaged index"; }));
  if (const absl::Status names = CheckNames(*header, index); !names.ok())
    return InFile(path, names);
  auto records = DecodeRecords(*header, index);
  if (!records.ok()) return InFile(path, records.status());
  const auto owner = std::make_shared<const std::vector<ShardRecord>>(*std::move(records));
  ShardReader reader(std::move(source), *header, *owner, owner);
  reader.rejected_ = index.substr(header->rejected_offset - header->records_offset);
  return reader;
}

std::string ShardReader::name(int64_t index) const {
  uint32_t range[2];
  if (!source_->Read(header_.names_offset + index * sizeof(uint32_t), sizeof(range), range).ok() ||
      range[1] < range[0] || range[1] > header_.rejected_offset - header_.names_offset) {
    return "";
  }
  std::string name(range[1] - range[0], '\0');
  const uint64_t names = header_.names_offset + (records_.size() + 1) * sizeof(uint32_t);
  return source_->Read(names + range[0], name.size(), name.data()).ok() ? name : "";
}

std::vector<std::pair<std::string, std::string>> ShardReader::Rejected() const {
  std::vector<std::pair<std::string, std::string>> rejected;
  for (absl::string_view line : absl::StrSplit(rejected_, '\n', absl::SkipEmpty())) {
    rejected.push_back(absl::StrSplit(line, absl::MaxSplits('\t', 1)));
  }
  return rejected;
}

absl::StatusOr<EncodedSample> ShardReader::Read(int64_t index, ScratchBuffer& buffer) const {
  const ShardRecord& record = records_[index];
  uint8_t* payload = buffer.Reserve(record.size);
  const auto what = [&] {
    return absl::StrCat("sample ", index, " (", name(index), ") is damaged");
  };
  RETURN_IF_ERROR(ReadChecked(*source_, record.offset, record.size,
                              reinterpret_cast<char*>(payload), record.checksum, what));
  EncodedSample sample;
  sample.encoding = record.encoding;
  sample.width = record.width;
  sample.height = record.height;
  sample.verified = true;
  size_t table = 0;
  if (record.restart_columns > 0) {
    sample.restarts.rows = record.restart_rows;
    sample.restarts.columns = record.restart_columns;
    const size_t count = size_t{record.restart_rows} * record.restart_columns + 1;
    // new[] aligned the buffer for any type.
    sample.restarts.offsets = {reinterpret_cast<const uint32_t*>(payload), count};
    table = count * sizeof(uint32_t);
  }
  sample.bytes = {payload + table, record.size - table};
  if (header_.has_fields) {
    if (const absl::Status fields = TakeShardFields(sample); !fields.ok()) {
      return absl::DataLossError(absl::StrCat(path(), ": ", what(), ": ", fields.message()));
    }
  }
  return sample;
}

void ShardReader::WillRead(int64_t first, int64_t last) const {
  const ShardRecord& end = records_[last - 1];
  source_->WillRead(records_[first].offset, end.offset + end.size - records_[first].offset);
}

}  // namespace data
