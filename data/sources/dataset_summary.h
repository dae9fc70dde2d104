// What is in a dataset: counts by class, encoding and size, and the samples that are bad.
#ifndef DATA_SOURCES_DATASET_SUMMARY_H_
#define DATA_SOURCES_DATASET_SUMMARY_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/sources/dataset.h"

namespace data {

struct DamagedSample {
  int64_t index = 0;
  std::string name;
  std::string reason;
};

struct DatasetSummary {
  int64_t bytes = 0;                         // of the encoded samples
  std::vector<int64_t> class_counts;         // of all samples, good or bad
  std::array<int64_t, 3> encoding_counts{};  // by Encoding, of the good ones, as are the next
  // side_counts[k]: images whose longer side is from 2^k to 2^(k+1) - 1 pixels, up to kMaxPixels.
  std::array<int64_t, 27> side_counts{};
  std::vector<DamagedSample> bad;  // by index
};

// Reads every sample, which checks the checksums of those that have one, and its header. With
// `decode`, also decodes every image whole. `threads` > 0; the result does not depend on it.
// Damaged samples are listed; any other error of reading is returned.
absl::StatusOr<DatasetSummary> Summarize(const Dataset& dataset, bool decode, int threads);

}  // namespace data

#endif  // DATA_SOURCES_DATASET_SUMMARY_H_
