#include "tools/program/training_setup.h"

#include "ATen/TensorOperators.h"
#include "ATen/ops/rand.h"
#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/device_flags.h"
#include "tools/flags/training_data_flags.h"
#include "tools/program/memory.h"
#include "tools/program/read_weights.h"
#include "torch/utils.h"

DEFINE_string(train_data, "", "Training images.");
DEFINE_string(test_data, "", "Images to evaluate on after every epoch; none if empty.");
DEFINE_string(initial_weights, "",
              "Instead of random weights: weight file, of ours or of the published code, or "
              "folder of a checkpoint.");

namespace tools {

absl::StatusOr<TrainingSetup> TrainingSetupFromFlags(distributed::TrainerOptions& options) {
  TrainingSetup setup;
  ASSIGN_OR_RETURN(setup.train_data, OpenDatasetOfFlag("train_data", FLAGS_train_data));
  if (!FLAGS_test_data.empty()) {
    ASSIGN_OR_RETURN(setup.test_data, OpenDatasetOfFlag("test_data", FLAGS_test_data));
    RETURN_IF_ERROR(RequireSameClasses(
        {absl::StrCat("--test_data=", FLAGS_test_data), setup.test_data->class_names()},
        {absl::StrCat("--train_data=", FLAGS_train_data), setup.train_data->class_names()}));
  }
  ASSIGN_OR_RETURN(setup.architecture,
                   ArchitectureFromFlags(setup.train_data->class_names().size()));
  // Before the ranks meet: one that cannot read its data ends alone, and the launcher the others.
  const InputShape input = InputShapeOf(setup.architecture);
  options.max_bad_samples = MaxBadSamplesFromFlags();
  options.data["loader"] = LoaderIdentity(input);
  ASSIGN_OR_RETURN(options.data["train"], DatasetIdentity(*setup.train_data));
  if (setup.test_data != nullptr) {
    ASSIGN_OR_RETURN(options.data["test"], DatasetIdentity(*setup.test_data));
  }

  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  ASSIGN_OR_RETURN(setup.communicator, CommunicatorFromFlags(device));
  const distributed::Place place = setup.communicator->place();
  ASSIGN_OR_RETURN(setup.train,
                   TrainSource(*setup.train_data, /*samples=*/{}, options.seed, input, place));
  if (setup.test_data != nullptr) {
    ASSIGN_OR_RETURN(setup.test, EvalSource(*setup.test_data, input, place));
  }

  torch::manual_seed(options.seed);
  ASSIGN_OR_RETURN(setup.network, nas::DerivedNetwork::Create(setup.architecture));
  if (!FLAGS_initial_weights.empty()) {
    RETURN_IF_ERROR(
        ReadWeightsOrCheckpoint(FLAGS_initial_weights, base::ModuleState(*setup.network)));
  }
  setup.network->to(device);
  return setup;
}

absl::Status RequireMemoryForSteps(
    const TrainingSetup& setup, const nas::DerivedNetwork& like,
    const std::function<nas::DerivedNetwork::Output(const at::Tensor& images)>& forward) {
  if (setup.network->parameters().front().is_cuda()) return absl::OkStatus();
  const int64_t side = setup.architecture.network.image_side;
  const auto step = [&](int64_t images) {
    const auto [logits, auxiliary_logits] = forward(at::rand({images, 3, side, side}));
    at::Tensor sum = logits.sum();
    if (auxiliary_logits.defined()) sum = sum + auxiliary_logits.sum();
    sum.backward();
  };
  double bytes = StepBytes(step, ImagesOfRank(setup.communicator->size()));
  // Weights and momenta; gradients are the step's.
  for (const at::Tensor& weight : like.parameters()) bytes += 2.0 * weight.nbytes();
  return RequireMemory(bytes, *setup.communicator);
}

}  // namespace tools
