// An ImageFolder tree: ROOT/CLASS/NAME.jpg, with deeper folders inside a class allowed.
#ifndef DATA_SOURCES_FOLDER_DATASET_H_
#define DATA_SOURCES_FOLDER_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/sources/dataset.h"

namespace data {

class FolderDataset : public Dataset {
 public:
  // Classes are the folders in `root`, sorted by name; samples are the image files in them, sorted
  // by path. InvalidArgument, naming the folder, if there are none.
  static absl::StatusOr<std::unique_ptr<FolderDataset>> Open(const std::string& root);

  int64_t size() const override { return images_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return images_[index].label; }
  std::string name(int64_t index) const override { return images_[index].path; }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  struct Image {
    std::string path;  // inside the root
    int64_t label;
  };

  explicit FolderDataset(std::string root) : root_(std::move(root)) {}

  absl::Status AddClass(const std::string& name);

  const std::string root_;
  std::vector<std::string> class_names_;
  std::vector<Image> images_;
};

}  // namespace data

#endif  // DATA_SOURCES_FOLDER_DATASET_H_
