// Datasets and their files for tests, of the images of data/codec/test_images.h.
#ifndef DATA_SOURCES_TEST_DATASETS_H_
#define DATA_SOURCES_TEST_DATASETS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/codec/test_images.h"
#include "data/io/encoded_sample.h"
#include "data/io/sample_field.h"
#include "data/io/scratch_buffer.h"
#include "data/sources/dataset.h"

namespace data {

// The tar archive of these files, in this order.
std::string MakeTar(const std::vector<std::pair<std::string, std::string>>& files);

// A .beton file of two samples: a 16x8 JPEG with label 1, and 3x2 raw pixels with label 0. Its
// allocation table lists the second one first, as two writers may.
std::string MakeBeton(const std::string& jpeg, const std::string& raw);

// A dataset in memory: of two classes, "even" and "odd".
class MemoryDataset : public Dataset {
 public:
  // The samples' fields stay where they are.
  explicit MemoryDataset(std::vector<EncodedSample> samples, std::vector<Bytes> bytes,
                         std::vector<SampleField> fields = {});

  int64_t size() const override { return samples_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return index % 2; }
  std::string name(int64_t index) const override { return "image" + std::to_string(index); }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  const std::vector<EncodedSample> samples_;
  const std::vector<Bytes> bytes_;
  const std::vector<std::string> class_names_ = {"even", "odd"};
};

// JPEGs of unknown size, as a folder has them.
MemoryDataset JpegDataset(std::vector<Bytes> jpegs);

}  // namespace data

#endif  // DATA_SOURCES_TEST_DATASETS_H_
