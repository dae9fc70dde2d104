// Searches the bits of every convolution of a fixed network (QSubNet) and writes the architecture
// with them.
//
//   mpirun -np 2 precision_search --preset=cifar --architecture=PC_DARTS_cifar
//       --train_data=shards/train --run=runs/qsubnet_search

#include <cstdint>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "nas/derived/architecture.h"
#include "nas/learning/precision_search_task.h"
#include "tools/flags/bits_flags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/optimizer_flags.h"
#include "tools/flags/presets.h"
#include "tools/flags/run_flags.h"
#include "tools/flags/target_flags.h"
#include "tools/flags/tool.h"
#include "tools/program/training_setup.h"

DEFINE_double(gamma_lr, 0.01,
              "Learning rate of the bits' logits at the beginning; it falls as the weights' does.");
FLAG_RANGE(gamma_lr, tools::Above(0));
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
FLAG_RANGE(auxiliary_weight, tools::AtLeast(0));
DEFINE_double(complexity_decay, 0.00335,
              "What a unit of complexity costs in the loss; with a budget, the scale of it.");
FLAG_RANGE(complexity_decay, tools::AtLeast(0));

namespace tools {
namespace {

absl::StatusOr<nas::PrecisionSearchConfig> ConfigFromFlags(int64_t epochs) {
  nas::PrecisionSearchConfig config;
  ASSIGN_OR_RETURN(config.bits, SearchedBitsFromFlags());
  ASSIGN_OR_RETURN(config.target, CostTargetFromFlags(FLAGS_complexity_decay));
  config.cost_model = config.target.model;
  ASSIGN_OR_RETURN(const SgdFlags sgd, SgdFromFlags(epochs));
  config.weight_rate = sgd.rate;
  config.alpha_rate = sgd.rate;
  config.alpha_rate.base = FLAGS_gamma_lr;
  config.alpha_rate.minimum *= FLAGS_gamma_lr / sgd.rate.base;
  config.momentum = sgd.momentum;
  config.weight_decay = sgd.weight_decay;
  config.grad_clip = sgd.grad_clip;
  config.auxiliary_weight = FLAGS_auxiliary_weight;
  config.complexity_decay = FLAGS_complexity_decay;
  return config;
}

absl::Status Search() {
  ASSIGN_OR_RETURN(distributed::TrainerOptions options, TrainerOptionsFromFlags());
  ASSIGN_OR_RETURN(nas::PrecisionSearchConfig config, ConfigFromFlags(options.epochs));
  ASSIGN_OR_RETURN(const TrainingSetup setup, TrainingSetupFromFlags(options));
  config.steps = options.epochs * setup.train->steps_per_epoch();
  nas::PrecisionSearchTask task(config, setup.network, setup.communicator.get());
  ASSIGN_OR_RETURN(const distributed::TrainSummary summary,
                   distributed::Train(task, {setup.train.get()}, setup.test.get(),
                                      *setup.communicator, options));
  if (summary.interrupted || setup.communicator->rank() != 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const nas::Architecture found, task.CurrentArchitecture());
  RETURN_IF_ERROR(ReportBudget(config.target, found));
  return nas::WriteArchitecture(InRunFolder("architecture.json"), found);
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Searches the bits of a fixed network.", tools::TrainPresets(),
                        tools::Search);
}
