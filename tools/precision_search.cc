// Searches the bits of every convolution of a fixed network (QSubNet) and writes the architecture
// with them.
//
//   mpirun -np 2 precision_search --preset=fixed_bits --arch=PC_DARTS_cifar
//       --train_data=shards/train --run=runs/qsubnet_search

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/dataset.h"
#include "distributed/communicator.h"
#include "distributed/loader_source.h"
#include "distributed/trainer.h"
#include "gflags/gflags.h"
#include "nas/architecture.h"
#include "nas/derived_network.h"
#include "nas/module_state.h"
#include "nas/precision_search_task.h"
#include "quant/lattice.h"
#include "tools/architecture_flags.h"
#include "tools/data_flags.h"
#include "tools/flag_values.h"
#include "tools/optimizer_flags.h"
#include "tools/presets.h"
#include "tools/read_weights.h"
#include "tools/run_flags.h"
#include "tools/target_flags.h"
#include "tools/tool.h"
#include "torch/utils.h"

DEFINE_string(train_data, "", "Training images.");
DEFINE_string(test_data, "", "Images to evaluate the mixture on after every epoch; none if empty.");
DEFINE_string(initial_weights, "",
              "Instead of random weights: weight file, of ours or of the published code, or "
              "folder of a checkpoint.");
DEFINE_string(candidates, "2,4", "Bits to search among, of 1,2,3,4,8,32.");
DEFINE_double(alpha_lr, 0.01,
              "Learning rate of the bits' logits at the beginning; it falls as the weights' does.");
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
DEFINE_double(complexity_decay, 0.00335,
              "What a unit of complexity costs in the loss; with a budget, the scale of it.");

namespace tools {
namespace {

absl::StatusOr<nas::PrecisionSearchConfig> ConfigFromFlags(int64_t epochs) {
  nas::PrecisionSearchConfig config;
  ASSIGN_OR_RETURN(config.bits, IntegersOfFlag("candidates", FLAGS_candidates));
  for (const int64_t bits : config.bits) {
    if (!quant::IsSupportedBits(bits)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--candidates: has ", bits, "; expected some of 1, 2, 3, 4, 8, 32"));
    }
  }
  ASSIGN_OR_RETURN(config.target, CostTargetFromFlags());
  config.cost_model = config.target.model;
  if (config.target.is_set() && FLAGS_complexity_decay <= 0) {
    return absl::InvalidArgumentError("--complexity_decay: must be positive with a budget");
  }
  ASSIGN_OR_RETURN(const SgdFlags sgd, SgdFromFlags(epochs));
  config.weight_rate = sgd.rate;
  config.alpha_rate = sgd.rate;
  config.alpha_rate.base = FLAGS_alpha_lr;
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
  config.steps = options.epochs * train->steps_per_epoch();

  torch::manual_seed(options.seed);
  ASSIGN_OR_RETURN(std::shared_ptr<nas::DerivedNetwork> network,
                   nas::DerivedNetwork::Create(architecture));
  if (!FLAGS_initial_weights.empty()) {
    RETURN_IF_ERROR(ReadWeightsOrCheckpoint(FLAGS_initial_weights, nas::ModuleState(*network)));
  }
  network->to(device);
  nas::PrecisionSearchTask task(config, std::move(network), communicator.get());
  ASSIGN_OR_RETURN(const distributed::TrainSummary summary,
                   distributed::Train(task, {train.get()}, test.get(), *communicator, options));
  if (summary.interrupted || communicator->rank() != 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const nas::Architecture found, task.CurrentArchitecture());
  RETURN_IF_ERROR(WarnIfOffBudget(config.target, found));
  return nas::WriteArchitecture(InRunFolder("architecture.json"), found);
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Searches the bits of a fixed network.", tools::TrainPresets(),
                        tools::Search);
}
