// Image files named one by one, without labels: what a user asks a network about.
#ifndef DATA_SOURCES_IMAGE_LIST_H_
#define DATA_SOURCES_IMAGE_LIST_H_

#include <string>
#include <utility>
#include <vector>

#include "data/sources/dataset.h"

namespace data {

class ImageList : public Dataset {
 public:
  explicit ImageList(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  int64_t size() const override { return paths_.size(); }
  // One class, whose name is empty, for all.
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return 0; }
  std::string name(int64_t index) const override { return paths_[index]; }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  const std::vector<std::string> paths_;
  const std::vector<std::string> class_names_ = {""};
};

}  // namespace data

#endif  // DATA_SOURCES_IMAGE_LIST_H_
