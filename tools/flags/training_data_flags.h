// The flags of tools that train: in which order images come, and what becomes of them on the way to
// the network, beyond data_flags.h.
#ifndef TOOLS_FLAGS_TRAINING_DATA_FLAGS_H_
#define TOOLS_FLAGS_TRAINING_DATA_FLAGS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "c10/core/Device.h"
#include "data/loader/loader.h"
#include "data/pixels/mixing.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "nlohmann/json_fwd.hpp"
#include "tools/flags/data_flags.h"

namespace tools {

// What tells one way to train on a data set from another, for comparison between ranks and with a
// resumed run.
nlohmann::json LoaderIdentity(const InputShape& shape);

// Stratified shares of `dataset` (data/loader/split.h), drawn from `seed`: of runs of neighbours,
// if
// --order reads it in runs.
absl::StatusOr<std::vector<std::vector<int64_t>>> SplitOfFlags(const data::Dataset& dataset,
                                                               absl::Span<const double> fractions,
                                                               uint64_t seed);

// What becomes of images in trainings that have it.
struct TrainingRecipe {
  std::vector<data::LoaderOptions::SizeFrom> sizes = {};
  data::Mixing mixing = {};
};

// Batches of `samples` of `dataset` (all if empty), which must outlive it, shuffled and augmented
// as the flags say, drawn from `seed`, with images on `device`, decoded by --jpeg_decoder.
// InvalidArgument naming the flag.
absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> TrainSource(
    const data::Dataset& dataset, std::vector<int64_t> samples, uint64_t seed,
    const InputShape& shape, const distributed::Place& place, c10::DeviceType device,
    const TrainingRecipe& recipe = {});

}  // namespace tools

#endif  // TOOLS_FLAGS_TRAINING_DATA_FLAGS_H_
