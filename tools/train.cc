// Trains a derived network, in float or with the bits of its architecture, and keeps its weights.
//
//   mpirun -np 2 train --preset=cifar --architecture=runs/search/architecture.json
//       --train_data=shards/train --test_data=shards/test --run=runs/train

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "nas/derived/activation_ranges.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/retrain_task.h"
#include "nas/weights/published_names.h"
#include "nas/weights/weight_file.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/optimizer_flags.h"
#include "tools/flags/presets.h"
#include "tools/flags/run_flags.h"
#include "tools/flags/tool.h"
#include "tools/program/calibration.h"
#include "tools/program/dry_run.h"
#include "tools/program/training_setup.h"

DEFINE_double(label_smoothing, 0, "Share of the target spread over all classes.");
FLAG_RANGE(label_smoothing, tools::FromBelow(0, 1));
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
FLAG_RANGE(auxiliary_weight, tools::AtLeast(0));
DEFINE_int64(calibrate, 16,
             "After the training, the ranges of 8-bit activations are found on so many batches of "
             "training data, read as for evaluation, and kept with the weights.");
FLAG_RANGE(calibrate, tools::FromTo(1, tools::kMany));
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
  ASSIGN_OR_RETURN(const auto like, nas::DerivedNetwork::Create(setup.architecture));
  RETURN_IF_ERROR(RequireMemoryForSteps(
      setup, *like, [&](const at::Tensor& images) { return like->forward(images); }));
  nas::RetrainTask task(config, setup.network, setup.communicator.get());
  if (IsDryRun()) {
    return DescribeRun(
        absl::StrFormat("training on %d images of %d classes", setup.train_data->size(),
                        setup.train_data->class_names().size()),
        task, *setup.train, *setup.communicator, options);
  }
  RETURN_IF_ERROR(
      distributed::Train(task, {setup.train.get()}, setup.test.get(), *setup.communicator, options)
          .status());
  ASSIGN_OR_RETURN(const auto images, CalibrationSource(*setup.train_data, options.seed,
                                                        InputShapeOf(setup.architecture),
                                                        setup.communicator->place()));
  RETURN_IF_ERROR(CalibrateRanges(*images, FLAGS_calibrate, *setup.network, *setup.communicator));
  if (setup.communicator->rank() != 0) return absl::OkStatus();
  RETURN_IF_ERROR(nas::WriteArchitecture(InRunFolder("architecture.json"), setup.architecture));
  return nas::WriteWeights(InRunFolder("weights.pt"), base::ModuleState(*setup.network),
                           nas::PublishedStyle::kQdartsDerived,
                           {.ranges = nas::ActivationRanges(*setup.network),
                            .classes = setup.train_data->class_names()});
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Trains a derived network.", tools::TrainPresets(),
                        tools::TrainNetwork);
}
