// Searches the bits of every convolution of a network (QSubNet, EdMIPS), or chooses them by
// sensitivity or by chance, and writes the architecture, or the network file, with them.
//
//   mpirun -np 2 precision_search --preset=cifar --architecture=PC_DARTS_cifar
//       --train_data=shards/train --run=runs/qsubnet_search

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/derived/precision_search_network.h"
#include "nas/learning/precision_search_task.h"
#include "nas/learning/sensitivity.h"
#include "nlohmann/json.hpp"
#include "quant/bit_cost.h"
#include "tools/flags/bits_flags.h"
#include "tools/flags/flag_choices.h"
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
DEFINE_string(
    method, "differentiable",
    "How bits are chosen: by gradient descent with the weights (differentiable), by how much "
    "the loss of trained weights rises when one convolution is quantized (sensitivity), or by a "
    "draw (random); on the budget if there is one.");
FLAG_CHOICES(method, {"differentiable", "random", "sensitivity"});
DEFINE_int64(sensitivity_batches, 8,
             "--method=sensitivity: training batches on which the loss is measured, at most.");
FLAG_RANGE(sensitivity_batches, tools::FromTo(1, tools::kMany));
DEFINE_bool(couple_activations, false,
            "--method=sensitivity: convolutions that read one tensor get one activation width.");
DEFINE_double(auxiliary_weight, 0.4, "Weight of the auxiliary head's loss.");
FLAG_RANGE(auxiliary_weight, tools::AtLeast(0));
DEFINE_double(complexity_decay, 0.00335,
              "What a unit of complexity, as the published code counts it, costs in the loss; "
              "--cost_model=exact counts less, and weighs it the more.");
FLAG_RANGE(complexity_decay, tools::AtLeast(0));

DEFINE_string(activation_bits, "", "The bits searched among for activations, instead of --bits.");
DEFINE_string(weight_bits, "", "The bits searched among for weights, instead of --bits.");

namespace tools {
namespace {

absl::StatusOr<nas::BitCandidates> CandidatesFromFlags() {
  ASSIGN_OR_RETURN(const std::vector<int64_t> both, SearchedBitsFromFlags());
  nas::BitCandidates bits = nas::BitCandidates::Both(both);
  if (!FLAGS_activation_bits.empty()) {
    ASSIGN_OR_RETURN(bits.activation, SearchedBitsOfFlag("activation_bits", FLAGS_activation_bits));
  }
  if (!FLAGS_weight_bits.empty()) {
    ASSIGN_OR_RETURN(bits.weight, SearchedBitsOfFlag("weight_bits", FLAGS_weight_bits));
  }
  if (bits.activation.size() < 2 && bits.weight.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("--bits=", bits.activation.front(), ": leaves no bits to search"));
  }
  return bits;
}

absl::StatusOr<nas::PrecisionSearchConfig> ConfigFromFlags(int64_t epochs) {
  nas::PrecisionSearchConfig config;
  ASSIGN_OR_RETURN(config.bits, CandidatesFromFlags());
  for (const char* flag : {"abits", "wbits", "gammas"}) {
    if (GivenByUser(flag)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": contradicts the search for bits"));
    }
  }
  config.random = FLAGS_method == "random";
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
  ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::LayoutOf(architecture));
  const auto [fewest_a, most_a] =
      std::minmax_element(config.bits.activation.begin(), config.bits.activation.end());
  const auto [fewest_w, most_w] =
      std::minmax_element(config.bits.weight.begin(), config.bits.weight.end());
  RETURN_IF_ERROR(RequireBudgetInReach(config.target, nas::ConvBits{*fewest_a, *fewest_w},
                                       nas::ConvBits{*most_a, *most_w}, layout, layout));
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

absl::Status CheckMethod(const nas::CostTarget& target) {
  const bool by_sensitivity = FLAGS_method == "sensitivity";
  if (by_sensitivity && !target.is_set()) {
    return absl::InvalidArgumentError(
        "--method=sensitivity: needs a budget, --target_bitops or --target_compression");
  }
  if (by_sensitivity && !GivenByUser("initial_weights")) {
    return absl::InvalidArgumentError(
        "--method=sensitivity: needs trained weights, --initial_weights");
  }
  for (const char* flag : {"sensitivity_batches", "couple_activations"}) {
    if (!by_sensitivity && GivenByUser(flag)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": says nothing to --method=", FLAGS_method));
    }
  }
  return absl::OkStatus();
}

// Replaces the bits of `found`, and writes what was measured.
absl::Status ChooseBySensitivity(const TrainingSetup& setup,
                                 const nas::PrecisionSearchConfig& config,
                                 nas::Architecture& found) {
  const int64_t count = std::min(FLAGS_sensitivity_batches, setup.train->steps_per_epoch());
  RETURN_IF_ERROR(setup.train->Seek(/*epoch=*/0, /*step=*/0));
  std::vector<distributed::Batch> batches;
  for (int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(distributed::Batch batch, setup.train->Next());
    batches.push_back(std::move(batch));
  }
  ASSIGN_OR_RETURN(
      const nas::Sensitivity sensitivity,
      nas::MeasureSensitivity(*setup.network, config.bits, batches, *setup.communicator));
  ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::LayoutOf(found));
  ASSIGN_OR_RETURN(found.bits, nas::BitsFromSensitivity(sensitivity, layout, config.target,
                                                        FLAGS_couple_activations));
  if (setup.communicator->rank() != 0) return absl::OkStatus();
  return base::WriteFileAtomically(InRunFolder("sensitivity.json"),
                                   nas::ToJson(sensitivity, layout).dump(1) + "\n");
}

absl::Status Search() {
  ASSIGN_OR_RETURN(distributed::TrainerOptions options, TrainerOptionsFromFlags());
  ASSIGN_OR_RETURN(nas::PrecisionSearchConfig config, ConfigFromFlags(options.epochs));
  RETURN_IF_ERROR(CheckMethod(config.target));
  ASSIGN_OR_RETURN(const TrainingSetup setup, TrainingSetupFromFlags(options));
  if (FLAGS_method != "differentiable") options.epochs = 0;
  config.steps = options.epochs * setup.train->steps_per_epoch();
  RETURN_IF_ERROR(FitTo(setup.architecture, config));
  ASSIGN_OR_RETURN(const RunEstimate estimate, Estimate(setup, config));
  nas::PrecisionSearchTask task(config, setup.network, setup.communicator.get());
  if (IsDryRun()) {
    const std::string activation = absl::StrJoin(config.bits.activation, ",");
    const std::string weight = absl::StrJoin(config.bits.weight, ",");
    const std::string both =
        activation == weight ? weight : absl::StrCat(activation, " and of weights ", weight);
    return DescribeRun(
        absl::StrFormat("search of bits %s on %d images of %d classes", both,
                        setup.train_data->size(), setup.train_data->class_names().size()),
        estimate, task, *setup.train, *setup.communicator, options);
  }
  RETURN_IF_ERROR(
      distributed::Train(task, {setup.train.get()}, setup.test.get(), *setup.communicator, options)
          .status());
  ASSIGN_OR_RETURN(nas::Architecture found, task.CurrentArchitecture());
  if (FLAGS_method == "sensitivity") RETURN_IF_ERROR(ChooseBySensitivity(setup, config, found));
  if (setup.communicator->rank() != 0) return absl::OkStatus();
  RETURN_IF_ERROR(ReportBudget(config.target, found));
  return nas::WriteArchitecture(InRunFolder(nas::ArchitectureFileName(found)), found);
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Searches the bits of a network.\n\n"
                        "  mpirun -np 2 precision_search --preset=cifar "
                        "--architecture=PC_DARTS_cifar\n"
                        "      --train_data=shards/train --run=runs/bits",
                        tools::PrecisionSearchPresets(), tools::Search);
}
