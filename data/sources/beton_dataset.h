// FFCV's .beton files, version 2: an image field (JPEG or raw), the first integer as the label, and
// further fields: numbers, bytes, JSON (as bytes, without the zero behind it) and arrays.
#ifndef DATA_SOURCES_BETON_DATASET_H_
#define DATA_SOURCES_BETON_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/io/random_access_file.h"
#include "data/sources/beton_layout.h"
#include "data/sources/dataset.h"

namespace data {

class BetonDataset : public Dataset {
 public:
  // Checks that all samples lie in the file, in data pages, and do not overlap. Classes are named
  // by number. InvalidArgument or DataLoss, naming file and place; a file whose writer was killed,
  // too, and one with a field of the user's own type.
  static absl::StatusOr<std::unique_ptr<BetonDataset>> Open(const std::string& path,
                                                            const OpenOptions& options = {});

  int64_t size() const override { return images_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return images_[index].label; }
  std::string name(int64_t index) const override;
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;
  void WillRead(int64_t first, int64_t last) const override;

 private:
  struct Image {
    uint64_t offset = 0;
    uint32_t size = 0;
    uint16_t width = 0;
    uint16_t height = 0;
    Encoding encoding = Encoding::kJpeg;
    int32_t label = 0;
  };
  // Of a field besides image and label: its number, as it stands there, or where its bytes are.
  struct Value {
    uint64_t word = 0;
    uint32_t size = 0;
  };

  explicit BetonDataset(RandomAccessFile file) : file_(std::move(file)) {}

  absl::Status Load(const FieldChoice& choice);
  absl::Status ReadMetadata(const BetonLayout& layout);
  absl::Status ReadAllocations(const BetonLayout& layout);
  absl::Status ChooseColumns(const BetonLayout& layout, const FieldChoice& choice);
  absl::Status Damaged(const std::string& what) const;

  const RandomAccessFile file_;
  std::vector<Image> images_;
  std::vector<bool> inline_;   // of fields(): numbers that stand in the metadata
  std::vector<Value> values_;  // [sample, field]
  std::vector<std::string> class_names_;
};

}  // namespace data

#endif  // DATA_SOURCES_BETON_DATASET_H_
