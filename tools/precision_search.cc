// Searches the bits of every convolution of a fixed network (QSubNet) and writes the architecture
// with them.
//
//   mpirun -np 2 precision_search --preset=cifar --architecture=PC_DARTS_cifar
//       --train_data=shards/train --run=runs/qsubnet_search

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/derived/precision_search_network.h"
#include "nas/learning/precision_search_task.h"
#include "quant/bit_cost.h"
#include "tools/flags/bits_flags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/optimizer_flags.h"
#include "tools/flags/presets.h"
#include "tools/flags/run_flags.h"
#include "tools/flags/target_flags.h"
#include "tools/flags/tool.h"
#include "tools/program/budget_check.h"
#include "tools/program/complexity_unit.h"
#include "tools/program/dry_run.h"
#include "tools/program/run_estimate.h"
#include "tools/program/training_setup.h"

DEFINE_double(gamma_lr, 0.01,
              "Learning rate of the bits' logits at the beginning; it falls as the weights' does.");
FLAG_RANGE(gamma_lr, tools::Above(0));
DEFINE_bool(random, false,
            "Take a draw for the result: random bits, on the budget if there is one.");
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
FLAG_RANGE(auxiliary_weight, tools::AtLeast(0));
DEFINE_double(complexity_decay, 0.00335,
              "What a unit of complexity, as the published code counts it, costs in the loss; "
              "--cost_model=exact counts less, and weighs it the more.");
FLAG_RANGE(complexity_decay, tools::AtLeast(0));

namespace tools {
namespace {

absl::StatusOr<nas::PrecisionSearchConfig> ConfigFromFlags(int64_t epochs) {
  nas::PrecisionSearchConfig config;
  ASSIGN_OR_RETURN(config.bits, SearchedBitsFromFlags());
  if (config.bits.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("--bits=", config.bits.front(), ": leaves no bits to search"));
  }
  for (const char* flag : {"abits", "wbits", "gammas"}) {
    if (GivenByUser(flag)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": contradicts the search for bits"));
    }
  }
  config.random = FLAGS_random;
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

// The budget must be in reach; the complexity's weight is scaled to --cost_model.
absl::Status FitTo(const nas::Architecture& architecture, nas::PrecisionSearchConfig& config) {
  ASSIGN_OR_RETURN(const nas::DerivedLayout layout,
                   nas::MakeDerivedLayout(architecture.genotype, architecture.network));
  RETURN_IF_ERROR(RequireBudgetInReach(config.target, config.bits, layout, layout));
  if (config.cost_model != quant::CostModel::kExact) return absl::OkStatus();
  std::vector<quant::ConvShape> shapes;
  for (const nas::ConvSite& conv : layout.convs) shapes.push_back(conv.shape);
  config.complexity_decay *= PublishedComplexityRatio(shapes);
  return absl::OkStatus();
}

absl::StatusOr<RunEstimate> Estimate(const TrainingSetup& setup,
                                     const nas::PrecisionSearchConfig& config) {
  ASSIGN_OR_RETURN(const auto like, nas::DerivedNetwork::Create(setup.architecture));
  nas::PrecisionSearchNetwork search(like, config.bits, config.cost_model);
  return EstimateTraining(setup, *like,
                          [&](const at::Tensor& images) { return search.Forward(images); });
}

absl::Status Search() {
  ASSIGN_OR_RETURN(distributed::TrainerOptions options, TrainerOptionsFromFlags());
  ASSIGN_OR_RETURN(nas::PrecisionSearchConfig config, ConfigFromFlags(options.epochs));
  ASSIGN_OR_RETURN(const TrainingSetup setup, TrainingSetupFromFlags(options));
  if (FLAGS_random) options.epochs = 0;
  config.steps = options.epochs * setup.train->steps_per_epoch();
  RETURN_IF_ERROR(FitTo(setup.architecture, config));
  ASSIGN_OR_RETURN(const RunEstimate estimate, Estimate(setup, config));
  nas::PrecisionSearchTask task(config, setup.network, setup.communicator.get());
  if (IsDryRun()) {
    return DescribeRun(absl::StrFormat("search of bits %s on %d images of %d classes",
                                       absl::StrJoin(config.bits, ","), setup.train_data->size(),
                                       setup.train_data->class_names().size()),
                       estimate, task, *setup.train, *setup.communicator, options);
  }
  RETURN_IF_ERROR(
      distributed::Train(task, {setup.train.get()}, setup.test.get(), *setup.communicator, options)
          .status());
  if (setup.communicator->rank() != 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const nas::Architecture found, task.CurrentArchitecture());
  RETURN_IF_ERROR(ReportBudget(config.target, found));
  return nas::WriteArchitecture(InRunFolder("architecture.json"), found);
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Searches the bits of a fixed network.\n\n"
                        "  mpirun -np 2 precision_search --preset=cifar "
                        "--architecture=PC_DARTS_cifar\n"
                        "      --train_data=shards/train --run=runs/bits",
                        tools::PrecisionSearchPresets(), tools::Search);
}
