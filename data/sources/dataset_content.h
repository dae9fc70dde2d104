// Hashes of what a dataset holds: other pixels under the same names are another dataset.
#ifndef DATA_SOURCES_DATASET_CONTENT_H_
#define DATA_SOURCES_DATASET_CONTENT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/sources/dataset.h"

namespace data {

// Of a sample's bytes, encoding, and size as far as it is known; never 0.
uint64_t SampleContent(const EncodedSample& sample);

// Of class names, and of every sample's label and content, in order: equal for copies of a dataset,
// wherever and whenever they were made. Reads all of it, with `threads` > 0, but for shards, which
// have checksums. A damaged sample counts as such; any other error of reading is returned.
absl::StatusOr<uint64_t> DatasetContent(const Dataset& dataset, int threads);

}  // namespace data

#endif  // DATA_SOURCES_DATASET_CONTENT_H_
