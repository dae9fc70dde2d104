#include "data/shard/shard_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "data/io/little_endian.h"
#include "data/shard/shard_format.h"

namespace data {
namespace {

constexpr size_t kWriteSize = 1 << 20;

absl::string_view AsString(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

absl::Status WriteAt(int fd, absl::string_view bytes, uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), offset);
    if (n >= 0) {
      bytes.remove_prefix(n);
      offset += n;
    } else if (errno != EINTR) {
      return base::ErrnoError("write", path);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ShardWriter>> ShardWriter::Create(const std::string& path) {
  const std::string temporary = absl::StrCat(path, ".tmp.", getpid());
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return base::ErrnoError("create", temporary);
  return absl::WrapUnique(new ShardWriter(path, temporary, fd));
}

// The header's place stays zero, which is no shard, until all else is on the disk.
ShardWriter::ShardWriter(std::string path, std::string temporary, int fd)
    : path_(std::move(path)),
      temporary_(std::move(temporary)),
      fd_(fd),
      size_(kShardHeaderSize),
      pending_(kShardHeaderSize, '\0') {
  AppendLittle(name_offsets_, uint32_t{0});
}

ShardWriter::~ShardWriter() {
  close(fd_);
  unlink(temporary_.c_str());  // Already renamed, so absent, after Finish.
}

absl::Status ShardWriter::Append(absl::string_view bytes) {
  absl::StrAppend(&pending_, bytes);
  size_ += bytes.size();
  return pending_.size() < kWriteSize ? absl::OkStatus() : Flush();
}

absl::Status ShardWriter::Flush() {
  RETURN_IF_ERROR(WriteAt(fd_, pending_, size_ - pending_.size(), temporary_));
  pending_.clear();
  return absl::OkStatus();
}

absl::Status ShardWriter::Add(const EncodedSample& sample, uint32_t label, absl::string_view name) {
  constexpr int kMaxSide = std::numeric_limits<uint16_t>::max();
  constexpr int kMaxColumns = std::numeric_limits<uint8_t>::max();
  const RestartIndex& restarts = sample.restarts;
  std::string payload;
  for (const uint32_t offset : restarts.offsets) AppendLittle(payload, offset);
  absl::StrAppend(&payload, AsString(sample.bytes));
  if (!sample.fields.empty()) AppendShardFields(sample, payload);
  if (sample.width < 1 || sample.width > kMaxSide || sample.height < 1 ||
      sample.height > kMaxSide || restarts.columns > kMaxColumns ||
      payload.size() > std::numeric_limits<uint32_t>::max() ||
      names_.size() + name.size() > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", sample.width, "x", sample.height, " pixels in ", payload.size(),
                     " bytes, ", restarts.columns, " restart columns, do not fit a shard"));
  }
  ShardRecord record;
  record.offset = size_;
  record.checksum = ShardChecksum(payload);
  record.size = payload.size();
  record.label = label;
  record.width = sample.width;
  record.height = sample.height;
  record.encoding = sample.encoding;
  record.restart_columns = restarts.columns;
  record.restart_rows = restarts.rows;
  AppendShardRecord(record, records_);
  has_fields_ = !sample.fields.empty();
  absl::StrAppend(&names_, name);
  AppendLittle(name_offsets_, static_cast<uint32_t>(names_.size()));
  ++sample_count_;
  return Append(payload);
}

void ShardWriter::AddRejected(absl::string_view name, absl::string_view reason) {
  absl::StrAppend(&rejected_, absl::StrReplaceAll(name, {{"\t", " "}, {"\n", " "}}), "\t",
                  absl::StrReplaceAll(reason, {{"\n", " "}}), "\n");
}

absl::Status ShardWriter::Finish(uint64_t fingerprint) {
  const std::string index = absl::StrCat(records_, name_offsets_, names_, rejected_);
  ShardHeader header;
  header.has_fields = has_fields_;
  header.sample_count = sample_count_;
  header.fingerprint = fingerprint;
  header.records_offset = size_;
  header.names_offset = header.records_offset + records_.size();
  header.rejected_offset = header.names_offset + name_offsets_.size() + names_.size();
  header.file_size = size_ + index.size();
  header.index_checksum = ShardChecksum(index);
  RETURN_IF_ERROR(Append(index));
  RETURN_IF_ERROR(Flush());
  if (fsync(fd_) != 0) return base::ErrnoError("sync", temporary_);
  RETURN_IF_ERROR(WriteAt(fd_, EncodeShardHeader(header), 0, temporary_));
  if (fsync(fd_) != 0) return base::ErrnoError("sync", temporary_);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return base::ErrnoError("rename to", path_);
  const std::string folder = std::filesystem::path(path_).parent_path();
  return base::SyncFolder(folder.empty() ? "." : folder);
}

}  // namespace data
