// MNIST's form: grey images in one IDX file, their labels in another, gzip-compressed or not.
// Format: http://yann.lecun.com/exdb/mnist, "THE IDX FILE FORMAT".
#ifndef DATA_SOURCES_IDX_DATASET_H_
#define DATA_SOURCES_IDX_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/encoded_sample.h"
#include "data/sources/dataset.h"

namespace data {

// Whether a file of this name holds IDX images: NAME-images-idx3-ubyte or NAME-images.idx3-ubyte,
// perhaps with .gz. Its labels are in the file of the same name but for "labels" and "idx1".
bool IsIdxImagesName(absl::string_view name);

// In memory as a whole: 47 MB for MNIST.
class IdxDataset : public Dataset {
 public:
  // `path` is the file of images, or a folder: then its train-images, or the only images there.
  // Classes are numbers from 0 to the largest label. Errors name the file.
  static absl::StatusOr<std::unique_ptr<IdxDataset>> Open(const std::string& path,
                                                          const OpenOptions& options);

  int64_t size() const override { return labels_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return labels_[index]; }
  std::string name(int64_t index) const override;
  // Red, green and blue are the grey value. A side below 32 pixels becomes 32, black on both ends.
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  explicit IdxDataset(std::string images_name) : images_name_(std::move(images_name)) {}

  const std::string images_name_;
  int width_ = 0, height_ = 0;
  std::vector<uint8_t> pixels_;
  std::vector<uint8_t> labels_;
  std::vector<std::string> class_names_;
};

}  // namespace data

#endif  // DATA_SOURCES_IDX_DATASET_H_
