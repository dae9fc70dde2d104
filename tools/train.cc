// Trains a derived network, in float or with the bits of its architecture, and keeps its weights.
//
//   mpirun -np 2 train --preset=cifar --architecture=runs/search/architecture.json
//       --train_data=shards/train --test_data=shards/test --run=runs/train

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "data/dataset.h"
#include "distributed/communicator.h"
#include "distributed/loader_source.h"
#include "distributed/trainer.h"
#include "gflags/gflags.h"
#include "nas/architecture.h"
#include "nas/derived_network.h"
#include "nas/module_state.h"
#include "nas/published_names.h"
#include "nas/retrain_task.h"
#include "nas/weight_file.h"
#include "tools/architecture_flags.h"
#include "tools/data_flags.h"
#include "tools/optimizer_flags.h"
#include "tools/presets.h"
#include "tools/read_weights.h"
#include "tools/run_flags.h"
#include "tools/tool.h"
#include "torch/utils.h"

DEFINE_string(train_data, "", "Training images.");
DEFINE_string(test_data, "", "Images to evaluate on after every epoch; none if empty.");
DEFINE_string(initial_weights, "",
              "Instead of random weights: weight file, of ours or of the published code, or "
              "folder of a checkpoint.");
DEFINE_double(label_smoothing, 0, "Share of the target spread over all classes.");
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
DEFINE_double(drop_path, 0, "Probability of dropping a path, at the end of the training.");

namespace tools {
namespace {

absl::StatusOr<nas::RetrainConfig> ConfigFromFlags(const distributed::TrainerOptions& options) {
  if (FLAGS_drop_path < 0 || FLAGS_drop_path >= 1) {
    return absl::InvalidArgumentError("--drop_path: must be in [0, 1)");
  }
  ASSIGN_OR_RETURN(const SgdFlags sgd, SgdFromFlags(options.epochs));
  return nas::RetrainConfig{.rate = sgd.rate,
                            .momentum = sgd.momentum,
                            .weight_decay = sgd.weight_decay,
                            .grad_clip = sgd.grad_clip,
                            .label_smoothing = FLAGS_label_smoothing,
                            .auxiliary_weight = FLAGS_auxiliary_weight,
                            .drop_path = FLAGS_drop_path,
                            .seed = options.seed};
}

absl::Status TrainNetwork() {
  ASSIGN_OR_RETURN(distributed::TrainerOptions options, TrainerOptionsFromFlags());
  ASSIGN_OR_RETURN(const nas::RetrainConfig config, ConfigFromFlags(options));
  ASSIGN_OR_RETURN(const std::unique_ptr<data::Dataset> train_data,
                   OpenDatasetOfFlag("train_data", FLAGS_train_data));
  std::unique_ptr<data::Dataset> test_data;
  if (!FLAGS_test_data.empty()) {
    ASSIGN_OR_RETURN(test_data, OpenDatasetOfFlag("test_data", FLAGS_test_data));
    RETURN_IF_ERROR(RequireSameClasses(*train_data, *test_data));
  }
  ASSIGN_OR_RETURN(const nas::Architecture architecture,
                   ArchitectureFromFlags(train_data->class_names().size()));
  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  ASSIGN_OR_RETURN(const std::unique_ptr<distributed::Communicator> communicator,
                   CommunicatorFromFlags(device));

  const InputShape input = InputShapeOf(architecture);
  options.data = {{"train", DatasetIdentity(*train_data)}, {"loader", LoaderIdentity(input)}};
  ASSIGN_OR_RETURN(const auto train, TrainSource(*train_data, /*samples=*/{}, options.seed, input,
                                                 communicator->place()));
  std::unique_ptr<distributed::LoaderSource> test;
  if (test_data != nullptr) {
    ASSIGN_OR_RETURN(test, EvalSource(*test_data, input, communicator->place()));
  }

  torch::manual_seed(options.seed);
  ASSIGN_OR_RETURN(const std::shared_ptr<nas::DerivedNetwork> network,
                   nas::DerivedNetwork::Create(architecture));
  if (!FLAGS_initial_weights.empty()) {
    RETURN_IF_ERROR(ReadWeightsOrCheckpoint(FLAGS_initial_weights, nas::ModuleState(*network)));
  }
  network->to(device);
  nas::RetrainTask task(config, network, communicator.get());
  ASSIGN_OR_RETURN(const distributed::TrainSummary summary,
                   distributed::Train(task, {train.get()}, test.get(), *communicator, options));
  if (summary.interrupted || communicator->rank() != 0) return absl::OkStatus();
  RETURN_IF_ERROR(nas::WriteArchitecture(InRunFolder("architecture.json"), architecture));
  return nas::WriteWeights(InRunFolder("weights.pt"), nas::ModuleState(*network),
                           nas::PublishedStyle::kQdartsDerived);
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Trains a derived network.", tools::TrainPresets(),
                        tools::TrainNetwork);
}
