// The flags that say which images a tool reads and what becomes of them on the way to the network.
#ifndef TOOLS_FLAGS_DATA_FLAGS_H_
#define TOOLS_FLAGS_DATA_FLAGS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "nas/space/image_kind.h"
#include "nlohmann/json_fwd.hpp"

namespace tools {

// What a network takes.
struct InputShape {
  nas::ImageKind images = nas::ImageKind::kCifar;
  int64_t side = 32;  // Height and width, pixels.
};

// --images and --image_size. InvalidArgument naming the flag.
absl::StatusOr<InputShape> InputShapeFromFlags();

// The data set that `flag`, whose value is `path`, names. Errors name the flag.
absl::StatusOr<std::unique_ptr<data::Dataset>> OpenDatasetOfFlag(const std::string& flag,
                                                                 const std::string& path);

// Names of classes, in the order of their labels, and where they stand.
struct ClassList {
  std::string place;
  const std::vector<std::string>& names;
};

// InvalidArgument naming both places, the first class that differs and its names.
absl::Status RequireSameClasses(const ClassList& classes, const ClassList& expected);

// What tells a data set from another, and one way to read it from another: for comparison between
// ranks and with a resumed run.
absl::StatusOr<nlohmann::json> DatasetIdentity(const data::Dataset& dataset);
nlohmann::json LoaderIdentity(const InputShape& shape);

// --max_bad_samples.
int64_t MaxBadSamplesFromFlags();

// The images of a step on a rank, at most, where `ranks` share them.
int64_t ImagesOfRank(int ranks);

// This rank's share of shuffled, augmented batches of `samples` (empty: all) of `dataset`, which
// outlives the source.
absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> TrainSource(
    const data::Dataset& dataset, std::vector<int64_t> samples, uint64_t seed,
    const InputShape& shape, const distributed::Place& place);

// This rank's share of every sample of `dataset`, in order, as evaluation sees it.
absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> EvalSource(
    const data::Dataset& dataset, const InputShape& shape, const distributed::Place& place);

}  // namespace tools

#endif  // TOOLS_FLAGS_DATA_FLAGS_H_
