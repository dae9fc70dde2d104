// Writes one shard file. The file appears under its name, complete, when Finish succeeds; a writer
// that dies before leaves only a temporary file, which no reader opens.
//
//   ASSIGN_OR_RETURN(auto writer, ShardWriter::Create("train-00000.shard"));
//   RETURN_IF_ERROR(writer->Add(sample, /*label=*/3, "n01440764/a.JPEG"));
//   RETURN_IF_ERROR(writer->Finish(fingerprint));
#ifndef DATA_SHARD_SHARD_WRITER_H_
#define DATA_SHARD_SHARD_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/encoded_sample.h"

namespace data {

class ShardWriter {
 public:
  static absl::StatusOr<std::unique_ptr<ShardWriter>> Create(const std::string& path);
  ~ShardWriter();

  // Appends a sample, whose width and height must be known. All samples of a shard have the same
  // number of fields. InvalidArgument if a size does not fit the format.
  absl::Status Add(const EncodedSample& sample, uint32_t label, absl::string_view name);

  // Notes an input that was left out, and why.
  void AddRejected(absl::string_view name, absl::string_view reason);

  // Writes index and header, and commits the file. Call once. `fingerprint` identifies what the
  // shard was made from.
  absl::Status Finish(uint64_t fingerprint);

 private:
  ShardWriter(std::string path, std::string temporary, int fd);

  absl::Status Append(absl::string_view bytes);
  absl::Status Flush();

  const std::string path_;
  const std::string temporary_;
  const int fd_;
  uint64_t size_;
  uint32_t sample_count_ = 0;
  bool has_fields_ = false;
  std::string pending_;
  std::string records_;
  std::string name_offsets_;
  std::string names_;
  std::string rejected_;
};

}  // namespace data

#endif  // DATA_SHARD_SHARD_WRITER_H_
