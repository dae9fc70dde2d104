// The flags of every tool that shows images to a network: which, in what form and how many at once.
#ifndef TOOLS_FLAGS_DATA_FLAGS_H_
#define TOOLS_FLAGS_DATA_FLAGS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "c10/core/Device.h"
#include "data/loader/loader.h"
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

// The data set that `flag`, whose value is `path`, names, or those that it names with commas
// between them, as one. Errors name the flag. With a communicator every rank calls it, an error of
// one is that of all, and the first rank of each host reads the indexes of shards for the others.
absl::StatusOr<std::unique_ptr<data::Dataset>> OpenDatasetOfFlag(
    const std::string& flag, const std::string& path,
    distributed::Communicator* communicator = nullptr);

// Names of classes, in the order of their labels, and where they stand.
struct ClassList {
  std::string place;
  const std::vector<std::string>& names;
};

// InvalidArgument naming both places, the first class that differs and its names.
absl::Status RequireSameClasses(const ClassList& classes, const ClassList& expected);

// What tells a data set from another, and what of these flags decides how it is read: for
// comparison between ranks and with a resumed run. Every rank calls it; of each host one rank reads
// the samples that tell.
absl::StatusOr<nlohmann::json> DatasetIdentity(const data::Dataset& dataset,
                                               distributed::Communicator& communicator);
nlohmann::json ReadingIdentity(const InputShape& shape);

// --max_bad_samples.
int64_t MaxBadSamplesFromFlags();

// --batch: the most images that one of so many ranks has of a batch.
int64_t ImagesOfRank(int ranks);

// How evaluation reads images at `place`: all of them, in order, none shifted, mirrored or blanked.
// InvalidArgument naming the flag.
absl::StatusOr<data::LoaderOptions> EvaluationLoaderOptions(const InputShape& shape,
                                                            const distributed::Place& place);

// One pass over `dataset`, which must outlive it, as evaluation reads it, with images on `device`,
// decoded by --jpeg_decoder.
absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> EvalSource(
    const data::Dataset& dataset, const InputShape& shape, const distributed::Place& place,
    c10::DeviceType device);

// The same images in an order that `seed` draws, so that the first batches stand for all: those on
// which ranges of activations are found.
absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> CalibrationSource(
    const data::Dataset& dataset, uint64_t seed, const InputShape& shape,
    const distributed::Place& place, c10::DeviceType device);

}  // namespace tools

#endif  // TOOLS_FLAGS_DATA_FLAGS_H_
