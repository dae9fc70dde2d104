// A damaged sample that batches came without.
#ifndef DATA_LOADER_SKIPPED_SAMPLE_H_
#define DATA_LOADER_SKIPPED_SAMPLE_H_

#include <cstdint>
#include <string>

namespace data {

struct SkippedSample {
  int64_t id = 0;      // its index in the dataset
  std::string name;    // as the dataset calls it
  std::string reason;  // one line, which names the sample too
};

}  // namespace data

#endif  // DATA_LOADER_SKIPPED_SAMPLE_H_
