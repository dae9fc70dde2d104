// CIFAR's binary batches: records of one label byte (two in CIFAR-100: coarse, fine) and 32x32
// pixels as planes of red, green and blue. Format: https://www.cs.toronto.edu/~kriz/cifar.html,
// "Binary version".
#ifndef DATA_SOURCES_CIFAR_DATASET_H_
#define DATA_SOURCES_CIFAR_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/encoded_sample.h"
#include "data/io/random_access_file.h"
#include "data/sources/dataset.h"

namespace data {

class CifarDataset : public Dataset {
 public:
  // `path` is a batch file, or a folder: then its training set (data_batch_*.bin, or CIFAR-100's
  // train.bin), in order. The class names come from batches.meta.txt or fine_label_names.txt beside
  // the batches, of which there is one. Errors name the file.
  static absl::StatusOr<std::unique_ptr<CifarDataset>> Open(const std::string& path);

  int64_t size() const override { return first_.back(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return labels_[index]; }
  std::string name(int64_t index) const override;
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  CifarDataset(std::vector<std::string> class_names, int label_bytes)
      : class_names_(std::move(class_names)), label_bytes_(label_bytes), first_{0} {}

  absl::Status AddBatch(const std::string& path);
  std::pair<const RandomAccessFile&, int64_t> Locate(int64_t index) const;

  const std::vector<std::string> class_names_;
  const int label_bytes_;
  std::vector<RandomAccessFile> batches_;
  std::vector<int64_t> first_;  // of each batch, and the total
  std::vector<uint8_t> labels_;
};

}  // namespace data

#endif  // DATA_SOURCES_CIFAR_DATASET_H_
