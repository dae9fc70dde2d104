#include "tools/flags/training_data_flags.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/loader/loader.h"
#include "data/loader/sampler.h"
#include "data/loader/split.h"
#include "data/pixels/augmentation.h"
#include "gflags/gflags.h"
#include "nas/space/image_kind.h"
#include "nlohmann/json.hpp"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"

DEFINE_int32(padding, 4, "--images=cifar: training shifts an image by up to so many pixels.");
FLAG_RANGE(padding, tools::FromTo(0, 65536));
DEFINE_bool(flip, true, "Training mirrors half of the images.");
DEFINE_int32(cutout, 0, "Training blanks a random square of so many pixels; 0: none.");
FLAG_RANGE(cutout, tools::FromTo(0, 65536));
DEFINE_string(
    order, "shuffled",
    "Order of the training samples: shuffled, or quasi_random for data larger than memory.");
FLAG_CHOICES(order, {"shuffled", "quasi_random"});

namespace tools {
namespace {

data::Augmentation AugmentationFromFlags(const InputShape& shape) {
  const bool cifar = shape.images == nas::ImageKind::kCifar;
  data::Augmentation augmentation = cifar ? data::CifarTrain() : data::ImageNetTrain();
  if (cifar) augmentation.padding = FLAGS_padding;
  augmentation.size = static_cast<int>(shape.side);
  augmentation.flip = FLAGS_flip;
  augmentation.cutout = FLAGS_cutout;
  return augmentation;
}

}  // namespace

nlohmann::json LoaderIdentity(const InputShape& shape) {
  nlohmann::json identity = ReadingIdentity(shape);
  identity["padding"] = FLAGS_padding;
  identity["flip"] = FLAGS_flip;
  identity["cutout"] = FLAGS_cutout;
  identity["order"] = FLAGS_order;
  return identity;
}

absl::StatusOr<std::vector<std::vector<int64_t>>> SplitOfFlags(const data::Dataset& dataset,
                                                               absl::Span<const double> fractions,
                                                               uint64_t seed) {
  return data::StratifiedSplit(data::Labels(dataset), fractions, seed,
                               FLAGS_order == "quasi_random" ? data::kRunSamples : 1);
}

absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> TrainSource(
    const data::Dataset& dataset, std::vector<int64_t> samples, uint64_t seed,
    const InputShape& shape, const distributed::Place& place) {
  ASSIGN_OR_RETURN(data::LoaderOptions options, EvaluationLoaderOptions(shape, place));
  const int64_t count = samples.empty() ? dataset.size() : samples.size();
  if (count < options.global_batch) {
    return absl::InvalidArgumentError(absl::StrCat("--batch=", options.global_batch, ": the ",
                                                   count,
                                                   " training images do not make one batch"));
  }
  options.augmentation = AugmentationFromFlags(shape);
  options.order = FLAGS_order == "shuffled" ? data::Order::kShuffled : data::Order::kQuasiRandom;
  options.drop_last = true;
  options.samples = std::move(samples);
  options.seed = seed;
  return distributed::LoaderSource::Create(dataset, options);
}

}  // namespace tools
