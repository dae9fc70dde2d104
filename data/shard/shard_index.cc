#include "data/shard/shard_index.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "data/io/little_endian.h"

namespace data {
namespace {

static_assert(std::is_trivially_copyable_v<ShardRecord>);

void AppendText(std::string& to, absl::string_view text) {
  AppendLittle(to, static_cast<uint64_t>(text.size()));
  to.append(text.data(), text.size());
}

// Takes numbers and texts off the front.
class Cursor {
 public:
  explicit Cursor(absl::string_view bytes) : rest_(bytes) {}

  absl::StatusOr<absl::string_view> Take(uint64_t count) {
    if (count > rest_.size()) return absl::InternalError("a shared index ends too early");
    const absl::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  absl::StatusOr<uint64_t> Number() {
    ASSIGN_OR_RETURN(const absl::string_view bytes, Take(sizeof(uint64_t)));
    return LoadLittle<uint64_t>(bytes.data());
  }
  absl::StatusOr<std::string> Text() {
    ASSIGN_OR_RETURN(const uint64_t size, Number());
    ASSIGN_OR_RETURN(const absl::string_view bytes, Take(size));
    return std::string(bytes);
  }

 private:
  absl::string_view rest_;
};

}  // namespace

// The number of records, the records, so that they are aligned, and the rest.
std::string EncodeShardIndex(const ShardIndex& index) {
  std::string bytes;
  uint64_t records = 0;
  for (const ShardIndex::Shard& shard : index.shards) records += shard.records.size();
  AppendLittle(bytes, records);
  for (const ShardIndex::Shard& shard : index.shards) {
    bytes.append(reinterpret_cast<const char*>(shard.records.data()),
                 shard.records.size() * sizeof(ShardRecord));
  }
  AppendLittle(bytes, static_cast<uint64_t>(index.class_names.size()));
  for (const std::string& name : index.class_names) AppendText(bytes, name);
  AppendLittle(bytes, static_cast<uint64_t>(index.fields.size()));
  for (const SampleField& field : index.fields) {
    AppendText(bytes, field.name);
    AppendText(bytes, FieldTypeName(field.type));
    AppendLittle(bytes, static_cast<uint64_t>(field.shape.size()));
    for (const int64_t extent : field.shape) AppendLittle(bytes, static_cast<uint64_t>(extent));
  }
  AppendLittle(bytes, static_cast<uint64_t>(index.shards.size()));
  for (const ShardIndex::Shard& shard : index.shards) {
    AppendText(bytes, shard.file);
    bytes += EncodeShardHeader(shard.header);
  }
  return bytes;
}

absl::StatusOr<ShardIndex> DecodeShardIndex(base::SharedBytes bytes) {
  Cursor cursor(bytes.bytes);
  ASSIGN_OR_RETURN(const uint64_t count, cursor.Number());
  if (count > bytes.bytes.size()) return absl::InternalError("a shared index lies");
  ASSIGN_OR_RETURN(const absl::string_view records, cursor.Take(count * sizeof(ShardRecord)));
  absl::Span<const ShardRecord> rest(reinterpret_cast<const ShardRecord*>(records.data()), count);
  ShardIndex index;
  index.owner = std::move(bytes.owner);
  ASSIGN_OR_RETURN(const uint64_t classes, cursor.Number());
  for (uint64_t i = 0; i < classes; ++i) {
    ASSIGN_OR_RETURN(std::string name, cursor.Text());
    index.class_names.push_back(std::move(name));
  }
  ASSIGN_OR_RETURN(const uint64_t fields, cursor.Number());
  for (uint64_t i = 0; i < fields; ++i) {
    SampleField field;
    ASSIGN_OR_RETURN(field.name, cursor.Text());
    ASSIGN_OR_RETURN(const std::string type, cursor.Text());
    ASSIGN_OR_RETURN(field.type, FieldTypeOfName(type));
    ASSIGN_OR_RETURN(const uint64_t extents, cursor.Number());
    for (uint64_t j = 0; j < extents; ++j) {
      ASSIGN_OR_RETURN(field.shape.emplace_back(), cursor.Number());
    }
    index.fields.push_back(std::move(field));
  }
  ASSIGN_OR_RETURN(const uint64_t shards, cursor.Number());
  for (uint64_t i = 0; i < shards; ++i) {
    ShardIndex::Shard shard;
    ASSIGN_OR_RETURN(shard.file, cursor.Text());
    ASSIGN_OR_RETURN(const absl::string_view header, cursor.Take(kShardHeaderSize));
    ASSIGN_OR_RETURN(shard.header, DecodeShardHeader(header));
    if (shard.header.sample_count > rest.size()) {
      return absl::InternalError("a shared index has too few records");
    }
    shard.records = rest.subspan(0, shard.header.sample_count);
    rest.remove_prefix(shard.header.sample_count);
    index.shards.push_back(std::move(shard));
  }
  return index;
}

}  // namespace data
