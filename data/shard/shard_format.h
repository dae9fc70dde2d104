// The bytes of a shard file; FORMAT.md is its specification.
#ifndef DATA_SHARD_SHARD_FORMAT_H_
#define DATA_SHARD_SHARD_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/encoded_sample.h"

namespace data {

inline constexpr size_t kShardHeaderSize = 72;
inline constexpr size_t kShardRecordSize = 32;

struct ShardHeader {
  // Whether every sample ends with its fields: version 2.
  bool has_fields = false;
  uint32_t sample_count = 0;
  uint64_t file_size = 0;
  // Identifies the input and the options that the shard was packed from.
  uint64_t fingerprint = 0;
  // The index: records, then names, then the list of rejected inputs, up to the file's end.
  uint64_t records_offset = 0;
  uint64_t names_offset = 0;
  uint64_t rejected_offset = 0;
  uint64_t index_checksum = 0;
};

struct ShardRecord {
  uint64_t offset = 0;
  uint64_t checksum = 0;
  uint32_t size = 0;
  uint32_t label = 0;
  uint16_t width = 0;
  uint16_t height = 0;
  Encoding encoding = Encoding::kJpeg;
  uint8_t restart_columns = 0;  // 0: no restart table
  uint16_t restart_rows = 0;
};

// The checksum of all parts of the format: XXH3, 64 bits, seed 0.
uint64_t ShardChecksum(absl::string_view bytes);

std::string EncodeShardHeader(const ShardHeader& header);

// Checks magic, version, checksum and that the parts lie in the file in order. `bytes` holds
// kShardHeaderSize bytes.
absl::StatusOr<ShardHeader> DecodeShardHeader(absl::string_view bytes);

void AppendShardRecord(const ShardRecord& record, std::string& to);

// `bytes` holds kShardRecordSize bytes. DataLoss if a number has no meaning.
absl::StatusOr<ShardRecord> DecodeShardRecord(absl::string_view bytes, bool has_fields);

// What a sample with these fields has behind its image.
void AppendShardFields(const EncodedSample& sample, std::string& to);

// Takes the fields off the end of `sample.bytes` and puts them into `sample.fields`. DataLoss if
// their sizes make no sense.
absl::Status TakeShardFields(EncodedSample& sample);

}  // namespace data

#endif  // DATA_SHARD_SHARD_FORMAT_H_
