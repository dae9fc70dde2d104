// Images in tar archives: NAME.jpg beside NAME.cls (WebDataset), or CLASS/NAME.jpg, with other
// files beside them as fields. input_listing.h has the rules.
#ifndef DATA_SOURCES_TAR_DATASET_H_
#define DATA_SOURCES_TAR_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/io/random_access_file.h"
#include "data/sources/dataset.h"

namespace data {

class TarDataset : public Dataset {
 public:
  // `path` is one archive or a folder of them (*.tar, taken in order of their names). Samples come
  // in the order of the archives; links inside an archive are followed. InvalidArgument or
  // DataLoss, naming archive and offset, if an archive is damaged or holds what cannot be settled.
  static absl::StatusOr<std::unique_ptr<TarDataset>> Open(const std::string& path,
                                                          const OpenOptions& options = {});

  int64_t size() const override { return images_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return images_[index].label; }
  std::string name(int64_t index) const override;
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  struct Extent {
    uint64_t offset = 0;  // 0, where a header stands: none
    uint64_t size = 0;
  };
  struct Image {
    std::string name;
    int64_t label = 0;
    int archive = 0;
    Extent bytes;
  };

  TarDataset() = default;

  std::vector<RandomAccessFile> archives_;
  std::vector<Image> images_;
  std::vector<Extent> field_bytes_;  // [image, field]
  std::vector<std::string> class_names_;
};

}  // namespace data

#endif  // DATA_SOURCES_TAR_DATASET_H_
