#include "tools/flags/training_data_flags.h"

#include <numeric>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/loader/loader.h"
#include "data/loader/sampler.h"
#include "data/loader/split.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/pixel_policy.h"
#include "gflags/gflags.h"
#include "nas/space/image_kind.h"
#include "nlohmann/json.hpp"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/jpeg_decoder_flag.h"

DEFINE_int32(padding, 4, "--images=cifar: training shifts an image by up to so many pixels.");
FLAG_RANGE(padding, tools::FromTo(0, 65536));
DEFINE_bool(flip, true, "Training mirrors half of the images.");
DEFINE_int32(cutout, 0, "Training blanks a random square of so many pixels; 0: none.");
FLAG_RANGE(cutout, tools::FromTo(0, 65536));
DEFINE_string(
    order, "shuffled",
    "Order of the training samples: shuffled, or quasi_random for data larger than memory.");
FLAG_CHOICES(order, {"shuffled", "quasi_random"});
DEFINE_string(
    color_jitter, "",
    "Training changes brightness, contrast and saturation by factors of up to 1 + and 1 - "
    "these, and the hue by up to so many turns: 0.4,0.4,0.4,0.2. None if empty.");
DEFINE_string(augment, "none",
              "Training changes images by a policy: trivial (TrivialAugment, wide) or rand "
              "(RandAugment).");
FLAG_CHOICES(augment, {"none", "trivial", "rand"});
DEFINE_int32(rand_ops, 2, "--augment=rand: how many changes an image gets.");
FLAG_RANGE(rand_ops, tools::FromTo(1, 16));
DEFINE_int32(rand_magnitude, 9, "--augment=rand: how strong they are, of 30.");
FLAG_RANGE(rand_magnitude, tools::FromTo(0, 30));
DEFINE_string(sampling, "uniform",
              "How often training images come up in an epoch: uniform, once each, or "
              "class_balanced, every class equally often.");
FLAG_CHOICES(sampling, {"uniform", "class_balanced"});
DEFINE_string(train_shares, "",
              "Of several --train_data, path,path: what share of an epoch each is, 0.8,0.2. "
              "Every image once if empty.");

namespace tools {
namespace {

absl::StatusOr<data::PixelPolicy> PolicyFromFlags() {
  data::PixelPolicy policy = {.ops = FLAGS_rand_ops, .magnitude = FLAGS_rand_magnitude};
  if (FLAGS_augment == "trivial") policy.kind = data::PixelPolicy::Kind::kTrivialAugment;
  if (FLAGS_augment == "rand") policy.kind = data::PixelPolicy::Kind::kRandAugment;
  if (!FLAGS_color_jitter.empty()) {
    ASSIGN_OR_RETURN(const std::vector<double> jitter,
                     NumbersOfFlag("color_jitter", FLAGS_color_jitter, 4));
    policy.brightness = jitter[0];
    policy.contrast = jitter[1];
    policy.saturation = jitter[2];
    policy.hue = jitter[3];
    if (const absl::Status status = data::CheckPixelPolicy(policy); !status.ok()) {
      return AboutFlag("color_jitter", status);
    }
  }
  return policy;
}

// How often the `samples` of `dataset`, all if empty, come up.
absl::StatusOr<data::Sampling> SamplingFromFlags(const data::Dataset& dataset,
                                                 std::vector<int64_t> samples) {
  data::Sampling sampling;
  const bool balanced = FLAGS_sampling == "class_balanced";
  if (!balanced && FLAGS_train_shares.empty()) return sampling;
  const std::string flag = balanced ? "--sampling=class_balanced" : "--train_shares";
  if (balanced && !FLAGS_train_shares.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(flag, ": contradicts --train_shares"));
  }
  if (FLAGS_order != "shuffled") {
    return absl::InvalidArgumentError(absl::StrCat(flag, ": contradicts --order=", FLAGS_order));
  }
  if (samples.empty()) {
    samples.resize(dataset.size());
    std::iota(samples.begin(), samples.end(), 0);
  }
  if (balanced) return data::ClassBalanced(samples, data::Labels(dataset));
  ASSIGN_OR_RETURN(sampling.shares,
                   NumbersOfFlag("train_shares", FLAGS_train_shares, dataset.num_parts()));
  const double sum = std::accumulate(sampling.shares.begin(), sampling.shares.end(), 0.0);
  for (double& share : sampling.shares) {
    if (!(share > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--train_shares=", FLAGS_train_shares, ": each must be above 0"));
    }
    share /= sum;
  }
  for (int64_t i = 0; i < dataset.size(); ++i) sampling.groups.push_back(dataset.part(i));
  return sampling;
}

absl::StatusOr<data::Augmentation> AugmentationFromFlags(const InputShape& shape) {
  const bool cifar = shape.images == nas::ImageKind::kCifar;
  data::Augmentation augmentation = cifar ? data::CifarTrain() : data::ImageNetTrain();
  if (cifar) augmentation.padding = FLAGS_padding;
  augmentation.size = static_cast<int>(shape.side);
  augmentation.flip = FLAGS_flip;
  augmentation.cutout = FLAGS_cutout;
  ASSIGN_OR_RETURN(augmentation.policy, PolicyFromFlags());
  return augmentation;
}

}  // namespace

nlohmann::json LoaderIdentity(const InputShape& shape) {
  nlohmann::json identity = ReadingIdentity(shape);
  identity["padding"] = FLAGS_padding;
  identity["flip"] = FLAGS_flip;
  identity["cutout"] = FLAGS_cutout;
  identity["order"] = FLAGS_order;
  if (!FLAGS_color_jitter.empty()) identity["color_jitter"] = FLAGS_color_jitter;
  if (FLAGS_augment != "none") identity["augment"] = FLAGS_augment;
  if (FLAGS_augment == "rand") {
    identity["rand_ops"] = FLAGS_rand_ops;
    identity["rand_magnitude"] = FLAGS_rand_magnitude;
  }
  if (FLAGS_sampling != "uniform") identity["sampling"] = FLAGS_sampling;
  if (!FLAGS_train_shares.empty()) identity["train_shares"] = FLAGS_train_shares;
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
    const InputShape& shape, const distributed::Place& place, c10::DeviceType device,
    const TrainingRecipe& recipe) {
  ASSIGN_OR_RETURN(data::LoaderOptions options, EvaluationLoaderOptions(shape, place));
  ASSIGN_OR_RETURN(options.jpeg_device, JpegDeviceFromFlags(device));
  const int64_t count = samples.empty() ? dataset.size() : samples.size();
  if (count < options.global_batch) {
    return absl::InvalidArgumentError(absl::StrCat("--batch=", options.global_batch, ": the ",
                                                   count,
                                                   " training images do not make one batch"));
  }
  ASSIGN_OR_RETURN(options.augmentation, AugmentationFromFlags(shape));
  ASSIGN_OR_RETURN(options.sampling, SamplingFromFlags(dataset, samples));
  options.sizes = recipe.sizes;
  options.mixing = recipe.mixing;
  options.order = FLAGS_order == "shuffled" ? data::Order::kShuffled : data::Order::kQuasiRandom;
  options.drop_last = true;
  options.samples = std::move(samples);
  options.seed = seed;
  return distributed::LoaderSource::Create(dataset, std::move(options), device);
}

}  // namespace tools
