// Trains a network, in float or with the bits of its architecture, and keeps its weights:
// the last ones and, with test data, those of the epoch that was best on it.
//
//   mpirun -np 2 train --preset=cifar --architecture=runs/search/architecture.json
//       --train_data=shards/train --test_data=shards/test --run=runs/train

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "data/pixels/mixing.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "nas/derived/activation_ranges.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/retrain_task.h"
#include "nas/weights/weight_file.h"
#include "quant/exact_sums.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/optimizer_flags.h"
#include "tools/flags/presets.h"
#include "tools/flags/run_flags.h"
#include "tools/flags/tool.h"
#include "tools/program/best_state.h"
#include "tools/program/calibration.h"
#include "tools/program/dry_run.h"
#include "tools/program/run_estimate.h"
#include "tools/program/training_setup.h"

DEFINE_double(label_smoothing, 0, "Share of the target spread over all classes.");
FLAG_RANGE(label_smoothing, tools::FromBelow(0, 1));
DEFINE_double(
    mixup, 0,
    "Mixes pairs of images (mixup) by shares of Beta(x, x); 0: off. With --cutmix, half of "
    "the pairs.");
FLAG_RANGE(mixup, tools::FromTo(0, 4));
DEFINE_double(cutmix, 0, "Trades rectangles of pairs of images (cutmix), likewise; 0: off.");
FLAG_RANGE(cutmix, tools::FromTo(0, 4));
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
FLAG_RANGE(auxiliary_weight, tools::AtLeast(0));
DEFINE_int64(calibrate, 16,
             "After the training, the ranges of 8-bit activations are found on so many batches of "
             "training data, read as for evaluation, and kept with the weights.");
FLAG_RANGE(calibrate, tools::FromTo(1, tools::kMany));
DEFINE_bool(exact_sums, false,
            "Convolve levels, which are integers, then scale, in the forward pass: sums that no "
            "order changes, for twice the time.");
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

// And what a resumed run compares itself by.
data::Mixing MixingFromFlags(distributed::TrainerOptions& options) {
  if (FLAGS_mixup > 0) options.data["mixup"] = FLAGS_mixup;
  if (FLAGS_cutmix > 0) options.data["cutmix"] = FLAGS_cutmix;
  return {.mixup = FLAGS_mixup, .cutmix = FLAGS_cutmix};
}

// What a file of weights holds, apart from the network.
struct TrainedWeights {
  base::TensorMap state;
  nas::WeightCompanions companions;
};

// Those of the network as it is, with the ranges of its 8-bit activations over `images`. Every rank
// calls it.
absl::StatusOr<TrainedWeights> CalibratedWeights(const TrainingSetup& setup,
                                                 distributed::BatchSource& images) {
  RETURN_IF_ERROR(CalibrateRanges(images, FLAGS_calibrate, *setup.network, *setup.communicator));
  TrainedWeights weights{.state = {},
                         .companions = {.ranges = nas::ActivationRanges(*setup.network),
                                        .classes = setup.train_data->class_names()}};
  for (const auto& [name, tensor] : base::ModuleState(*setup.network)) {
    weights.state.emplace(name, tensor.detach().clone());
  }
  return weights;
}

absl::Status WriteWeights(const std::string& name, const nas::Architecture& architecture,
                          const TrainedWeights& weights) {
  return nas::WriteWeights(InRunFolder(name), weights.state, nas::StyleOf(architecture),
                           weights.companions);
}

absl::Status TrainNetwork() {
  ASSIGN_OR_RETURN(distributed::TrainerOptions options, TrainerOptionsFromFlags());
  ASSIGN_OR_RETURN(const nas::RetrainConfig config, ConfigFromFlags(options));
  ASSIGN_OR_RETURN(const TrainingSetup setup,
                   TrainingSetupFromFlags(options, MixingFromFlags(options)));
  ASSIGN_OR_RETURN(const auto like, nas::DerivedNetwork::Create(setup.architecture));
  ASSIGN_OR_RETURN(const RunEstimate estimate,
                   EstimateTraining(setup, *like, [&](const at::Tensor& images) {
                     return like->forward(images);
                   }));
  nas::RetrainTask task(config, setup.network, setup.communicator.get());
  if (IsDryRun()) {
    return DescribeRun(
        absl::StrFormat("training on %d images of %d classes", setup.train_data->size(),
                        setup.train_data->class_names().size()),
        estimate, task, *setup.train, *setup.communicator, options);
  }
  std::optional<quant::ExactSumsGuard> exact;
  if (FLAGS_exact_sums) exact.emplace();
  RETURN_IF_ERROR(
      distributed::Train(task, {setup.train.get()}, setup.test.get(), *setup.communicator, options)
          .status());
  ASSIGN_OR_RETURN(const auto images,
                   CalibrationSource(*setup.train_data, options.seed,
                                     InputShapeOf(setup.architecture), setup.communicator->place(),
                                     setup.network->parameters().front().device().type()));
  ASSIGN_OR_RETURN(const TrainedWeights last, CalibratedWeights(setup, *images));
  std::optional<TrainedWeights> best;
  if (setup.test != nullptr) {
    ASSIGN_OR_RETURN(const bool found,
                     LoadBestState(options.run_folder, task, *setup.communicator));
    if (found) {
      ASSIGN_OR_RETURN(best, CalibratedWeights(setup, *images));
    }
  }
  if (setup.communicator->rank() != 0) return absl::OkStatus();
  const nas::Architecture& architecture = setup.architecture;
  RETURN_IF_ERROR(
      nas::WriteArchitecture(InRunFolder(nas::ArchitectureFileName(architecture)), architecture));
  if (best.has_value()) RETURN_IF_ERROR(WriteWeights("best_weights.pt", architecture, *best));
  return WriteWeights("weights.pt", architecture,
                      last);  // At the end: where it is, the training is finished.
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Trains a network.\n\n"
                        "  mpirun -np 2 train --preset=cifar "
                        "--architecture=runs/search/architecture.json\n"
                        "      --train_data=shards/train --test_data=shards/test "
                        "--run=runs/train",
                        tools::TrainPresets(), tools::TrainNetwork);
}
