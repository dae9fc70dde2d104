#include "data/shard/shard_format.h"

#include <xxhash.h>

#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "data/io/little_endian.h"
#include "data/io/sample_field.h"

namespace data {
namespace {

// As PNG's: not text, and changed by a transfer that translates line ends.
constexpr char kMagic[8] = {'\x89', 'N', 'Q', 'S', '\r', '\n', '\x1a', '\n'};
constexpr uint32_t kVersion = 1, kVersionWithFields = 2;
// In place of the size of a field that a sample does not have.
constexpr uint32_t kNoField = std::numeric_limits<uint32_t>::max();
constexpr size_t kHeaderChecksumOffset = 64;

}  // namespace

uint64_t ShardChecksum(absl::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string EncodeShardHeader(const ShardHeader& header) {
  std::string bytes(kMagic, sizeof(kMagic));
  AppendLittle(bytes, header.has_fields ? kVersionWithFields : kVersion);
  AppendLittle(bytes, header.sample_count);
  AppendLittle(bytes, header.file_size);
  AppendLittle(bytes, header.fingerprint);
  AppendLittle(bytes, header.records_offset);
  AppendLittle(bytes, header.names_offset);
  AppendLittle(bytes, header.rejected_offset);
  AppendLittle(bytes, header.index_checksum);
  AppendLittle(bytes, ShardChecksum(bytes));
  return bytes;
}

absl::StatusOr<ShardHeader> DecodeShardHeader(absl::string_view bytes) {
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return absl::InvalidArgumentError("not a shard: no magic number");
  }
  if (LoadLittle<uint64_t>(bytes.data() + kHeaderChecksumOffset) !=
      ShardChecksum(bytes.substr(0, kHeaderChecksumOffset))) {
    return absl::DataLossError("damaged header: its checksum differs");
  }
  const auto version = LoadLittle<uint32_t>(bytes.data() + 8);
  if (version != kVersion && version != kVersionWithFields) {
    return absl::InvalidArgumentError(absl::StrCat("shard format version ", version,
                                                   "; this program reads ", kVersion, " and ",
                                                   kVersionWithFields));
  }
  ShardHeader header;
  header.has_fields = version == kVersionWithFields;
  header.sample_count = LoadLittle<uint32_t>(bytes.data() + 12);
  header.file_size = LoadLittle<uint64_t>(bytes.data() + 16);
  header.fingerprint = LoadLittle<uint64_t>(bytes.data() + 24);
  header.records_offset = LoadLittle<uint64_t>(bytes.data() + 32);
  header.names_offset = LoadLittle<uint64_t>(bytes.data() + 40);
  header.rejected_offset = LoadLittle<uint64_t>(bytes.data() + 48);
  header.index_checksum = LoadLittle<uint64_t>(bytes.data() + 56);
  const uint64_t count = header.sample_count;
  if (header.records_offset < kShardHeaderSize || header.records_offset > header.file_size ||
      header.names_offset - header.records_offset != count * kShardRecordSize ||
      header.names_offset > header.file_size || header.rejected_offset > header.file_size ||
      header.rejected_offset < header.names_offset ||
      header.rejected_offset - header.names_offset < (count + 1) * sizeof(uint32_t)) {
    return absl::DataLossError("damaged header: the parts of the index overlap or leave the file");
  }
  return header;
}

void AppendShardRecord(const ShardRecord& record, std::string& to) {
  AppendLittle(to, record.offset);
  AppendLittle(to, record.checksum);
  AppendLittle(to, record.size);
  AppendLittle(to, record.label);
  AppendLittle(to, record.width);
  AppendLittle(to, record.height);
  AppendLittle(to, static_cast<uint8_t>(record.encoding));
  AppendLittle(to, record.restart_columns);
  AppendLittle(to, record.restart_rows);
}

absl::StatusOr<ShardRecord> DecodeShardRecord(absl::string_view bytes, bool has_fields) {
  ShardRecord record;
  record.offset = LoadLittle<uint64_t>(bytes.data());
  record.checksum = LoadLittle<uint64_t>(bytes.data() + 8);
  record.size = LoadLittle<uint32_t>(bytes.data() + 16);
  record.label = LoadLittle<uint32_t>(bytes.data() + 20);
  record.width = LoadLittle<uint16_t>(bytes.data() + 24);
  record.height = LoadLittle<uint16_t>(bytes.data() + 26);
  const auto encoding = LoadLittle<uint8_t>(bytes.data() + 28);
  record.restart_columns = LoadLittle<uint8_t>(bytes.data() + 29);
  record.restart_rows = LoadLittle<uint16_t>(bytes.data() + 30);
  if (encoding > static_cast<uint8_t>(Encoding::kPng)) {
    return absl::DataLossError(absl::StrCat("unknown encoding ", encoding));
  }
  record.encoding = static_cast<Encoding>(encoding);
  const uint64_t table = record.restart_columns == 0
                             ? 0
                             : (uint64_t{record.restart_rows} * record.restart_columns + 1) * 4;
  const uint64_t raw =
      record.encoding == Encoding::kRawRgb ? uint64_t{record.width} * record.height * 3 : 0;
  if (record.width == 0 || record.height == 0 || table > record.size || raw > record.size ||
      (raw > 0 && !has_fields && raw != record.size)) {
    return absl::DataLossError("sizes that contradict each other");
  }
  return record;
}

void AppendShardFields(const EncodedSample& sample, std::string& to) {
  for (const absl::Span<const uint8_t> field : sample.fields) {
    to.append(reinterpret_cast<const char*>(field.data()), field.size());
  }
  for (const absl::Span<const uint8_t> field : sample.fields) {
    AppendLittle(to, field.data() == nullptr ? kNoField : static_cast<uint32_t>(field.size()));
  }
  AppendLittle(to, static_cast<uint32_t>(sample.fields.size()));
}

absl::Status TakeShardFields(EncodedSample& sample) {
  const absl::Status damaged = absl::DataLossError("the sizes of its fields make no sense");
  absl::Span<const uint8_t> rest = sample.bytes;
  const auto number_before_end = [&rest](size_t behind) {
    return LoadLittle<uint32_t>(rest.data() + rest.size() - sizeof(uint32_t) * behind);
  };
  if (rest.size() < sizeof(uint32_t)) return damaged;
  const uint64_t count = number_before_end(1);
  if (count > kMaxFields || rest.size() < (count + 1) * sizeof(uint32_t)) return damaged;
  uint64_t left = rest.size() - (count + 1) * sizeof(uint32_t);
  sample.fields.resize(count);
  for (uint64_t i = count; i-- > 0;) {
    const uint32_t size = number_before_end(count + 1 - i);
    if (size == kNoField) {
      sample.fields[i] = {};
    } else if (size > left) {
      return damaged;
    } else {
      left -= size;
      sample.fields[i] = rest.subspan(left, size);
    }
  }
  sample.bytes = rest.subspan(0, left);
  if (sample.encoding == Encoding::kRawRgb &&
      left != static_cast<uint64_t>(sample.width) * sample.height * 3) {
    return damaged;
  }
  return absl::OkStatus();
}

}  // namespace data
