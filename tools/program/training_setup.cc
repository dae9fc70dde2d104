#include "tools/program/training_setup.h"

#include "base/module_state.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/device_flags.h"
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
    RETURN_IF_ERROR(RequireSameClasses(*setup.train_data, *setup.test_data));
  }
  ASSIGN_OR_RETURN(setup.architecture,
                   ArchitectureFromFlags(setup.train_data->class_names().size()));
  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  ASSIGN_OR_RETURN(setup.communicator, CommunicatorFromFlags(device));

  const InputShape input = InputShapeOf(setup.architecture);
  const distributed::Place place = setup.communicator->place();
  options.data = {{"train", DatasetIdentity(*setup.train_data)}, {"loader", LoaderIdentity(input)}};
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

}  // namespace tools
