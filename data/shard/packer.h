// Packs a dataset, with its fields(), into a folder of shards.
//
// Which sample goes where depends on the dataset and the options alone, so the bytes do not depend
// on the number of workers. Started again after it was stopped, it keeps the shards that are
// complete, if the input still is what they were made from.
#ifndef DATA_SHARD_PACKER_H_
#define DATA_SHARD_PACKER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/shard/sample_packer.h"
#include "data/sources/dataset.h"

namespace data {

struct PackOptions {
  SamplePackOptions sample;
  int64_t samples_per_shard = 8192;
  // Mixes the classes over the shards, as a quasi-random order needs; false: the dataset's order.
  bool shuffle = true;
  int workers = 1;
  // Leaves bad samples out and lists them in the shard, instead of failing.
  bool skip_bad_samples = false;
  // Called now and then with the samples done and all there are.
  std::function<void(int64_t done, int64_t total)> progress;
};

struct PackReport {
  int64_t samples = 0;
  int64_t shards = 0;
  int64_t kept_shards = 0;  // complete from an earlier run
  int64_t bytes = 0;
  // The inputs left out, and why, by shard.
  std::vector<std::pair<std::string, std::string>> rejected;
  std::vector<std::string> empty_classes;  // names of those without a sample
};

// Creates `folder` if need be. FailedPrecondition if it holds shards of another input, of images
// that have changed since, or of other options: kept shards are compared with the input by content.
// With `skip_bad_samples` false, the error of the first bad sample, which it names; DataLoss, and
// no shards, if all are bad. What the system reports (a file that is gone or cannot be read) is an
// error in either case.
absl::StatusOr<PackReport> Pack(const Dataset& dataset, const std::string& folder,
                                const PackOptions& options);

}  // namespace data

#endif  // DATA_SHARD_PACKER_H_
