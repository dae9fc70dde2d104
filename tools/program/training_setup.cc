#include "tools/program/training_setup.h"

#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/rand.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "data/loader/loader.h"
#include "gflags/gflags.h"
#include "nas/derived/derived_layout.h"
#include "nas/networks/fixed_networks.h"
#include "quant/bit_cost.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/device_flags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/jpeg_decoder_flag.h"
#include "tools/flags/training_data_flags.h"
#include "tools/program/memory.h"
#include "tools/program/read_weights.h"
#include "torch/utils.h"

DEFINE_string(train_data, "", "Training images.");
DEFINE_double(train_fraction, 1, "Share of each class that is trained on, drawn by --seed.");
FLAG_RANGE(train_fraction, tools::AboveTo(0, 1));
DEFINE_string(test_data, "", "Images to evaluate on after every epoch; none if empty.");
DEFINE_string(initial_weights, "",
              "Instead of random weights: weight file, of ours or of the published code, or "
              "folder of a checkpoint.");
DEFINE_string(progressive_sizes, "",
              "--images=imagenet: training begins with smaller images, 128,160, and ends with "
              "--image_size; each has an equal share of the epochs.");
DEFINE_bool(replace_classifier, false,
            "Of --initial_weights for other classes, take all but the classifier's.");

namespace tools {
namespace {

absl::Status ReadInitialWeights(const nas::DerivedNetwork& network) {
  const std::string classifier = network.architecture().fixed_network.empty()
                                     ? "classifier."
                                     : nas::kFixedClassifier + std::string(".");
  const base::TensorMap state = base::ModuleState(network);
  absl::Status status = ReadWeightsOrCheckpoint(FLAGS_initial_weights, state, nullptr,
                                                FLAGS_replace_classifier ? classifier : "");
  if (FLAGS_replace_classifier ||
      !absl::StrContains(status.message(), absl::StrCat("shape (", classifier))) {
    return status;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(), "; --replace_classifier takes all but the classifier's"));
}

// --progressive_sizes and then the network's own, from which epochs on.
absl::StatusOr<std::vector<data::LoaderOptions::SizeFrom>> SizesFromFlags(
    nas::Architecture architecture, int64_t epochs) {
  std::vector<data::LoaderOptions::SizeFrom> stages;
  if (FLAGS_progressive_sizes.empty()) return stages;
  ASSIGN_OR_RETURN(std::vector<int64_t> sizes,
                   IntegersOfFlag("progressive_sizes", FLAGS_progressive_sizes));
  sizes.push_back(architecture.network.image_side);
  const int64_t count = std::ssize(sizes);
  const auto wrong = [](auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("--progressive_sizes=", FLAGS_progressive_sizes, ": ", what...));
  };
  if (architecture.network.images != nas::ImageKind::kImageNet) {
    return wrong("--images=cifar are cropped, and never resized");
  }
  if (count > epochs) return wrong(count, " sizes with --image_size, for ", epochs, " epochs");
  for (int64_t i = 0; i < count; ++i) {
    architecture.network.image_side = sizes[i];
    if (const absl::Status status = nas::LayoutOf(architecture).status(); !status.ok()) {
      return wrong(status.message());
    }
    stages.push_back({i * epochs / count, static_cast<int>(sizes[i])});
  }
  return stages;
}

}  // namespace

absl::StatusOr<TrainingSetup> TrainingSetupFromFlags(distributed::TrainerOptions& options,
                                                     const data::Mixing& mixing) {
  TrainingSetup setup;
  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  RETURN_IF_ERROR(CheckJpegDecoder(device));
  ASSIGN_OR_RETURN(setup.communicator, CommunicatorFromFlags(device));
  ASSIGN_OR_RETURN(setup.train_data,
                   OpenDatasetOfFlag("train_data", FLAGS_train_data, setup.communicator.get()));
  if (!FLAGS_test_data.empty()) {
    ASSIGN_OR_RETURN(setup.test_data,
                     OpenDatasetOfFlag("test_data", FLAGS_test_data, setup.communicator.get()));
    RETURN_IF_ERROR(RequireSameClasses(
        {absl::StrCat("--test_data=", FLAGS_test_data), setup.test_data->class_names()},
        {absl::StrCat("--train_data=", FLAGS_train_data), setup.train_data->class_names()}));
  }
  ASSIGN_OR_RETURN(setup.architecture,
                   ArchitectureFromFlags(setup.train_data->class_names().size()));
  const InputShape input = InputShapeOf(setup.architecture);
  TrainingRecipe recipe = {.mixing = mixing};
  ASSIGN_OR_RETURN(recipe.sizes, SizesFromFlags(setup.architecture, options.epochs));
  if (!recipe.sizes.empty()) options.data["progressive_sizes"] = FLAGS_progressive_sizes;
  options.max_bad_samples = MaxBadSamplesFromFlags();
  options.data["loader"] = LoaderIdentity(input);
  std::vector<int64_t> samples;  // None: all.
  if (FLAGS_train_fraction < 1) {
    ASSIGN_OR_RETURN(auto parts,
                     SplitOfFlags(*setup.train_data, {FLAGS_train_fraction}, options.seed));
    samples = std::move(parts.front());
    options.data["train_fraction"] = FLAGS_train_fraction;
  }

  ASSIGN_OR_RETURN(options.data["train"], DatasetIdentity(*setup.train_data, *setup.communicator));
  if (setup.test_data != nullptr) {
    ASSIGN_OR_RETURN(options.data["test"], DatasetIdentity(*setup.test_data, *setup.communicator));
  }
  const distributed::Place place = setup.communicator->place();
  ASSIGN_OR_RETURN(setup.train, TrainSource(*setup.train_data, std::move(samples), options.seed,
                                            input, place, device, recipe));
  if (setup.test_data != nullptr) {
    ASSIGN_OR_RETURN(setup.test, EvalSource(*setup.test_data, input, place, device));
  }

  torch::manual_seed(options.seed);
  ASSIGN_OR_RETURN(setup.network, nas::DerivedNetwork::Create(setup.architecture));
  if (!FLAGS_initial_weights.empty()) {
    RETURN_IF_ERROR(ReadInitialWeights(*setup.network));
  }
  setup.network->to(device);
  return setup;
}

absl::StatusOr<RunEstimate> EstimateTraining(
    const TrainingSetup& setup, const nas::DerivedNetwork& like,
    const std::function<nas::DerivedNetwork::Output(const at::Tensor& images)>& forward) {
  ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::LayoutOf(setup.architecture));
  RunEstimate estimate = {.parameters = layout.num_parameters + layout.num_auxiliary_parameters};
  for (const nas::ConvSite& conv : layout.convs) {
    estimate.multiply_adds += quant::Macs(conv.shape, quant::CostModel::kExact);
  }
  for (const nas::FloatConvSite& conv : layout.float_convs) {
    estimate.multiply_adds += quant::Macs(conv.shape, quant::CostModel::kExact);
  }
  if (setup.network->parameters().front().is_cuda()) return estimate;
  const int64_t side = setup.architecture.network.image_side;
  const auto step = [&](int64_t images) {
    const auto [logits, auxiliary_logits] = forward(at::rand({images, 3, side, side}));
    at::Tensor sum = logits.sum();
    if (auxiliary_logits.defined()) sum = sum + auxiliary_logits.sum();
    sum.backward();
  };
  const StepCost cost = MeasureStep(step, ImagesOfRank(setup.communicator->size()));
  estimate.step_seconds = cost.seconds;
  estimate.rank_bytes = cost.bytes;
  // Weights and momenta; gradients are the step's.
  for (const at::Tensor& weight : like.parameters()) estimate.rank_bytes += 2.0 * weight.nbytes();
  RETURN_IF_ERROR(RequireMemory(estimate.rank_bytes, *setup.communicator));
  return estimate;
}

}  // namespace tools
