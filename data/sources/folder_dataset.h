// Images in a folder: ROOT/CLASS/NAME.jpg, or NAME.jpg beside NAME.cls. input_listing.h has the
// rules.
#ifndef DATA_SOURCES_FOLDER_DATASET_H_
#define DATA_SOURCES_FOLDER_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/io/printable_name.h"
#include "data/sources/dataset.h"

namespace data {

class FolderDataset : public Dataset {
 public:
  // Samples are in the order of their paths, classes in that of their names. Links are followed, to
  // folders too. InvalidArgument or NotFound, naming the file, for what cannot be settled.
  static absl::StatusOr<std::unique_ptr<FolderDataset>> Open(const std::string& root,
                                                             const OpenOptions& options = {});

  int64_t size() const override { return images_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return images_[index].label; }
  std::string name(int64_t index) const override { return PrintableName(images_[index].path); }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  struct Image {
    std::string path;  // inside the root
    int64_t label;
  };

  explicit FolderDataset(std::string root) : root_(std::move(root)) {}

  const std::string root_;
  std::vector<std::string> class_names_;
  std::vector<Image> images_;
  std::vector<std::string> field_paths_;  // [image, field]; "": none
};

}  // namespace data

#endif  // DATA_SOURCES_FOLDER_DATASET_H_
