// Trains a derived network, in float or with the bits of its architecture, and keeps its weights.
//
//   mpirun -np 2 train --preset=cifar --architecture=runs/search/architecture.json
//       --train_data=shards/train --test_data=shards/test --run=runs/train

#include "absl/status/status.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "nas/derived/architecture.h"
#include "nas/learning/retrain_task.h"
#include "nas/weights/published_names.h"
#include "nas/weights/weight_file.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/optimizer_flags.h"
#include "tools/flags/presets.h"
#include "tools/flags/run_flags.h"
#include "tools/flags/tool.h"
#include "tools/program/training_setup.h"

DEFINE_double(label_smoothing, 0, "Share of the target spread over all classes.");
FLAG_RANGE(label_smoothing, tools::FromBelow(0, 1));
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
FLAG_RANGE(auxiliary_weight, tools::AtLeast(0));
DEFINE_double(drop_path, 0, "Probability of dropping a path, at the end of the training.");
FLAG_RANGE(drop_path, tools::FromBelow(0, 1));

namespace tools {
namespace {

absl::StatusOr<nas::RetrainConfig> ConfigFromFlags(const distributed::TrainerOptions& options) {
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
  ASSIGN_OR_RETURN(const TrainingSetup setup, TrainingSetupFromFlags(options));
  nas::RetrainTask task(config, setup.network, setup.communicator.get());
  ASSIGN_OR_RETURN(const distributed::TrainSummary summary,
                   distributed::Train(task, {setup.train.get()}, setup.test.get(),
                                      *setup.communicator, options));
  if (summary.interrupted || setup.communicator->rank() != 0) return absl::OkStatus();
  RETURN_IF_ERROR(nas::WriteArchitecture(InRunFolder("architecture.json"), setup.architecture));
  return nas::WriteWeights(InRunFolder("weights.pt"), base::ModuleState(*setup.network),
                           nas::PublishedStyle::kQdartsDerived);
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Trains a derived network.", tools::TrainPresets(),
                        tools::TrainNetwork);
}
