// Several data sets as one, sample behind sample.
#ifndef DATA_SOURCES_MIXTURE_DATASET_H_
#define DATA_SOURCES_MIXTURE_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/sources/dataset.h"

namespace data {

class MixtureDataset : public Dataset {
 public:
  struct Part {
    std::string path;  // For messages.
    std::unique_ptr<Dataset> dataset;
  };

  // Classes are the first part's; those of the others, in any order, are found among them by name,
  // and may be fewer. InvalidArgument, naming path and class, if one is not there.
  static absl::StatusOr<std::unique_ptr<MixtureDataset>> Create(std::vector<Part> parts);

  int64_t size() const override { return firsts_.back(); }
  const std::vector<std::string>& class_names() const override;
  int64_t label(int64_t index) const override;
  std::string name(int64_t index) const override;
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;
  void WillRead(int64_t first, int64_t last) const override;
  void Forget() const override;
  int read_depth() const override;
  absl::StatusOr<uint64_t> Fingerprint() const override;

  int num_parts() const override { return static_cast<int>(parts_.size()); }
  int part(int64_t index) const override;

 private:
  explicit MixtureDataset(std::vector<Part> parts);

  // A sample's part and its index there.
  struct Place {
    int part;
    const Dataset& dataset;
    int64_t index;
  };
  Place Find(int64_t index) const;

  const std::vector<Part> parts_;
  std::vector<int64_t> firsts_;               // Of each part; then the number of all samples.
  std::vector<std::vector<int64_t>> labels_;  // Of each part's classes.
};

}  // namespace data

#endif  // DATA_SOURCES_MIXTURE_DATASET_H_
