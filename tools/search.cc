// Searches operations and bit widths together and writes the architecture found.
//
//   mpirun -np 2 search --preset=cifar --train_data=shards/train --run=runs/search

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/rand.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "nas/derivation/bit_assignment.h"
#include "nas/derivation/decisiveness.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/learning/search_config.h"
#include "nas/learning/search_task.h"
#include "nas/supernet/supernet.h"
#include "quant/bit_cost.h"
#include "quant/names.h"
#include "quant/precision_conv.h"
#include "tools/flags/bits_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/device_flags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/jpeg_decoder_flag.h"
#include "tools/flags/optimizer_flags.h"
#include "tools/flags/presets.h"
#include "tools/flags/run_flags.h"
#include "tools/flags/target_flags.h"
#include "tools/flags/tool.h"
#include "tools/flags/training_data_flags.h"
#include "tools/program/budget_check.h"
#include "tools/program/complexity_unit.h"
#include "tools/program/dry_run.h"
#include "tools/program/memory.h"
#include "tools/program/run_estimate.h"
#include "torch/utils.h"

DEFINE_string(train_data, "", "Training images; both halves of the search come from them.");
DEFINE_string(test_data, "",
              "Images to evaluate the supernet on after every epoch; none if empty.");
DEFINE_double(train_fraction, 0.5, "Share of each class that trains weights and gammas.");
FLAG_RANGE(train_fraction, tools::AboveTo(0, 1));
DEFINE_double(search_fraction, 0.5, "Share of each class that trains alphas and betas.");
FLAG_RANGE(search_fraction, tools::AboveTo(0, 1));

DEFINE_int64(channels, 16, "Channels of the first cell's nodes.");
FLAG_RANGE(channels, tools::FromTo(1, 65536));
DEFINE_int32(layers, 8, "Cells.");
FLAG_RANGE(layers, tools::FromTo(1, 1000));
DEFINE_int64(partial_channels, 4, "One in so many channels passes through the operations.");
FLAG_RANGE(partial_channels, tools::FromTo(2, 65536));
DEFINE_string(channel_sampling, "first",
              "Which: the first (published code), or drawn at every step (its paper; slower).");
FLAG_CHOICES(channel_sampling, {"first", "random"});
DEFINE_string(eight_bit, "published", "The quantizer of 5 to 8 bits.");
FLAG_CHOICES(eight_bit, {"published", "published_search", "symmetric"});
DEFINE_bool(
    expected_cost, false,
    "Weight every operation's complexity by its probability, and let alphas and betas feel it.");

DEFINE_int64(alpha_begin, 15,
             "Epochs that train weights and gammas alone, before a budget steers anything.");
FLAG_RANGE(alpha_begin, tools::FromTo(0, 1e6));
DEFINE_double(alpha_lr, 6e-4, "Learning rate of alphas and betas.");
FLAG_RANGE(alpha_lr, tools::AtLeast(0));
DEFINE_double(alpha_weight_decay, 1e-3, "Weight decay of alphas and betas.");
FLAG_RANGE(alpha_weight_decay, tools::AtLeast(0));
DEFINE_double(
    alpha_grad_clip, 0,
    "Bound of their gradient's norm; 0: none. With --expected_cost and a budget at most 1.");
FLAG_RANGE(alpha_grad_clip, tools::AtLeast(0));
DEFINE_bool(second_order, false,
            "Look one weight step ahead for the gradient of alphas and betas.");
DEFINE_double(gamma_lr, 0.01, "Learning rate of gammas at the beginning; it falls as a cosine.");
FLAG_RANGE(gamma_lr, tools::AtLeast(0));
DEFINE_string(gamma_optimizer, "sgd",
              "What moves gammas: sgd (published), or adam with alphas' betas.");
DEFINE_double(
    gamma_start, 1e-3,
    "Gammas start as so much times N(0, 1); published: 1e-3. What the search adds has to be more, "
    "or the draw decides.");
FLAG_RANGE(gamma_start, tools::AtLeast(0));
DEFINE_double(gamma_weight_decay, 1e-3, "Weight decay of gammas.");
FLAG_RANGE(gamma_weight_decay, tools::AtLeast(0));
DEFINE_double(complexity_decay, 1e-4,
              "What a unit of complexity, as the published code counts it, costs in the loss; "
              "--cost_model=exact counts less, and weighs it the more.");
FLAG_RANGE(complexity_decay, tools::AtLeast(0));

DEFINE_bool(
    random, false,
    "Take the initial draw for the result: a random architecture, on the budget if there is one.");

DEFINE_int64(derive_channels, 36, "Channels of the network to derive.");
FLAG_RANGE(derive_channels, tools::FromTo(1, 65536));
DEFINE_int32(derive_layers, 20, "Cells of the network to derive.");
FLAG_RANGE(derive_layers, tools::FromTo(1, 1000));
DEFINE_bool(derive_auxiliary, true, "Whether the network to derive trains with an auxiliary head.");
DEFINE_string(depth_rule, "published", "Which searched cell a derived one takes its bits from.");
FLAG_CHOICES(depth_rule, {"published", "proportional"});

namespace tools {
namespace {

// Where there is one candidate, what steers the choice of bits steers nothing.
absl::Status CheckFlagsOfBits(const nas::SupernetConfig& supernet) {
  if (supernet.bits.size() > 1) return absl::OkStatus();
  std::vector<const char*> idle = {"gamma_lr",           "gamma_optimizer", "gamma_start",
                                   "gamma_weight_decay", "target_bitops",   "target_compression"};
  const bool float_network = supernet.bits.front() == 32;
  if (float_network) idle.push_back("expected_cost");
  if (float_network || !supernet.expected_cost) idle.push_back("complexity_decay");
  for (const char* flag : idle) {
    if (GivenByUser(flag)) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag,
                                                     ": contradicts --bits=", supernet.bits.front(),
                                                     ", which leaves no bits to search"));
    }
  }
  return absl::OkStatus();
}

// What the derived network may cost, whatever genotype and bits are found.
absl::Status CheckBudget(const nas::SearchConfig& config) {
  ASSIGN_OR_RETURN(const nas::DerivedLayout cheapest,
                   nas::MakeDerivedLayout(CheapestGenotype(), config.derived));
  ASSIGN_OR_RETURN(const nas::DerivedLayout dearest,
                   nas::MakeDerivedLayout(DearestGenotype(), config.derived));
  return RequireBudgetInReach(config.target, config.supernet.bits, cheapest, dearest);
}

// The convolutions that the complexity counts, after a forward.
std::vector<quant::ConvShape> SearchedConvs(nas::Supernet& supernet) {
  std::vector<quant::ConvShape> shapes;
  for (const auto& module : supernet.network().named_modules(
           /*name_prefix=*/"", /*include_self=*/false)) {
    const auto* conv = module.value()->as<quant::PrecisionConv2dImpl>();
    if (conv != nullptr && absl::StartsWith(module.key(), "cells.")) {
      shapes.push_back(conv->shape());
    }
  }
  return shapes;
}

// How often a step runs forward and backward, in the mean over the epochs: once for the weights,
// and once for alphas and betas when they move, or at three more points to look ahead.
double PassesOfStep(const nas::SearchConfig& config, int64_t epochs) {
  if (epochs == 0) return 1;  // --random takes none.
  const double moving = 1 - static_cast<double>(config.alpha_begin) / static_cast<double>(epochs);
  return 1 + moving * (config.second_order ? 4 : 1);
}

// Tries the step of a network like the one to be searched: whether its memory is there, what it
// takes, and what the complexity's weight is under --cost_model=exact.
absl::StatusOr<RunEstimate> TryStep(int64_t side, int64_t epochs, c10::DeviceType device,
                                    distributed::Communicator& communicator,
                                    nas::SearchConfig& config) {
  ASSIGN_OR_RETURN(const std::unique_ptr<nas::Supernet> supernet,
                   nas::Supernet::Create(config.supernet));
  const auto step = [&](int64_t images) {
    supernet->Forward(at::rand({images, 3, side, side})).sum().backward();
  };
  const int64_t images = ImagesOfRank(communicator.size());
  const StepCost cost = MeasureStep(step, images);
  RunEstimate estimate = {.multiply_adds = supernet->MultiplyAdds()};
  double bytes = cost.bytes;
  for (const at::Tensor& weight : supernet->weights()) {
    estimate.parameters += weight.numel();
    bytes += 2 * weight.nbytes();  // It and its momentum; gradients are the step's.
  }
  if (device == c10::DeviceType::CPU) {
    RETURN_IF_ERROR(RequireMemory(bytes, communicator));
    estimate.rank_bytes = bytes;
    estimate.step_seconds = cost.seconds * PassesOfStep(config, epochs);
  }
  if (config.supernet.cost_model == quant::CostModel::kExact) {
    config.complexity_decay *= PublishedComplexityRatio(SearchedConvs(*supernet));
  }
  return estimate;
}

absl::StatusOr<nas::SearchConfig> ConfigFromFlags(int64_t classes, int64_t epochs) {
  nas::SearchConfig config;
  nas::SupernetConfig& supernet = config.supernet;
  ASSIGN_OR_RETURN(const InputShape input, InputShapeFromFlags());
  supernet.images = input.images;
  supernet.channels = FLAGS_channels;
  supernet.layers = FLAGS_layers;
  supernet.classes = classes;
  ASSIGN_OR_RETURN(supernet.bits, SearchedBitsFromFlags());
  supernet.partial_channels = FLAGS_partial_channels;
  supernet.random_channels = FLAGS_channel_sampling == "random";
  ASSIGN_OR_RETURN(supernet.eight_bit,
                   ValueOfFlag("eight_bit", quant::ParseEightBit(FLAGS_eight_bit)));
  ASSIGN_OR_RETURN(config.target, CostTargetFromFlags(FLAGS_complexity_decay));
  supernet.cost_model = config.target.model;
  supernet.expected_cost = FLAGS_expected_cost;
  supernet.gamma_start = FLAGS_gamma_start;
  RETURN_IF_ERROR(supernet.Check());
  RETURN_IF_ERROR(supernet.CheckImageSide(input.side));
  RETURN_IF_ERROR(CheckFlagsOfBits(supernet));

  ASSIGN_OR_RETURN(const SgdFlags sgd, SgdFromFlags(epochs));
  config.weight_rate = sgd.rate;
  config.momentum = sgd.momentum;
  config.weight_decay = sgd.weight_decay;
  config.weight_grad_clip = sgd.grad_clip;
  if (FLAGS_alpha_begin >= epochs) {
    return absl::InvalidArgumentError(absl::StrCat("--alpha_begin=", FLAGS_alpha_begin,
                                                   ": leaves none of the ", epochs,
                                                   " epochs for alphas and betas"));
  }
  config.alpha_begin = FLAGS_alpha_begin;
  config.alpha_rate.base = FLAGS_alpha_lr;
  config.alpha_weight_decay = FLAGS_alpha_weight_decay;
  config.alpha_grad_clip = FLAGS_alpha_grad_clip;
  config.second_order = FLAGS_second_order;
  config.gamma_optimizer = FLAGS_gamma_optimizer == "adam"
                               ? nas::SearchConfig::GammaOptimizer::kAdam
                               : nas::SearchConfig::GammaOptimizer::kSgd;
  config.gamma_rate = {.base = FLAGS_gamma_lr, .epochs = static_cast<int>(epochs)};
  config.gamma_weight_decay = FLAGS_gamma_weight_decay;
  config.complexity_decay = FLAGS_complexity_decay;

  config.derived = {.images = input.images,
                    .image_side = input.side,
                    .channels = FLAGS_derive_channels,
                    .layers = FLAGS_derive_layers,
                    .classes = classes,
                    .auxiliary = FLAGS_derive_auxiliary};
  RETURN_IF_ERROR(config.derived.Check());
  ASSIGN_OR_RETURN(config.depth_rule,
                   ValueOfFlag("depth_rule", nas::ParseDepthRule(FLAGS_depth_rule)));
  RETURN_IF_ERROR(CheckBudget(config));
  return config;
}

// Says how far the choices are the search's own.
absl::Status ReportDecisiveness(const nas::SearchTask& task) {
  ASSIGN_OR_RETURN(const auto decisiveness, task.CurrentDecisiveness());
  std::printf("decided by the search, not by its initial draw: %s\n",
              nas::DecisivenessText(decisiveness).c_str());
  for (const auto& [kind, of] : decisiveness) {
    if (of.Share() >= 0.5) continue;
    LOG(WARNING)
        << "most " << absl::StrReplaceAll(kind, {{"_", " "}})
        << " are the initial draw's: more epochs, a higher rate (--gamma_lr, --alpha_lr) or a "
           "smaller --gamma_start would let the search decide";
  }
  return absl::OkStatus();
}

absl::Status Search() {
  ASSIGN_OR_RETURN(distributed::TrainerOptions options, TrainerOptionsFromFlags());
  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  RETURN_IF_ERROR(CheckJpegDecoder(device));
  ASSIGN_OR_RETURN(const std::unique_ptr<distributed::Communicator> communicator,
                   CommunicatorFromFlags(device));
  ASSIGN_OR_RETURN(const std::unique_ptr<data::Dataset> dataset,
                   OpenDatasetOfFlag("train_data", FLAGS_train_data, communicator.get()));
  std::unique_ptr<data::Dataset> test_data;
  if (!FLAGS_test_data.empty()) {
    ASSIGN_OR_RETURN(test_data,
                     OpenDatasetOfFlag("test_data", FLAGS_test_data, communicator.get()));
    RETURN_IF_ERROR(RequireSameClasses(
        {absl::StrCat("--test_data=", FLAGS_test_data), test_data->class_names()},
        {absl::StrCat("--train_data=", FLAGS_train_data), dataset->class_names()}));
  }
  ASSIGN_OR_RETURN(nas::SearchConfig config,
                   ConfigFromFlags(dataset->class_names().size(), options.epochs));
  ASSIGN_OR_RETURN(auto parts, SplitOfFlags(*dataset, {FLAGS_train_fraction, FLAGS_search_fraction},
                                            options.seed));
  ASSIGN_OR_RETURN(const InputShape input, InputShapeFromFlags());
  options.max_bad_samples = MaxBadSamplesFromFlags();
  options.data = {{"train_fraction", FLAGS_train_fraction},
                  {"search_fraction", FLAGS_search_fraction},
                  {"loader", LoaderIdentity(input)}};

  ASSIGN_OR_RETURN(options.data["train"], DatasetIdentity(*dataset, *communicator));
  if (test_data != nullptr) {
    ASSIGN_OR_RETURN(options.data["test"], DatasetIdentity(*test_data, *communicator));
  }
  // Different seeds, so that the halves do not move in step.
  ASSIGN_OR_RETURN(const auto train, TrainSource(*dataset, std::move(parts[0]), options.seed, input,
                                                 communicator->place(), device));
  ASSIGN_OR_RETURN(const auto search, TrainSource(*dataset, std::move(parts[1]), options.seed + 1,
                                                  input, communicator->place(), device));
  std::unique_ptr<distributed::LoaderSource> test;
  if (test_data != nullptr) {
    ASSIGN_OR_RETURN(test, EvalSource(*test_data, input, communicator->place(), device));
  }
  config.steps = (options.epochs - config.alpha_begin) * train->steps_per_epoch();
  if (FLAGS_random) options.epochs = 0;
  ASSIGN_OR_RETURN(const RunEstimate estimate,
                   TryStep(input.side, options.epochs, device, *communicator, config));

  torch::manual_seed(options.seed);
  ASSIGN_OR_RETURN(std::unique_ptr<nas::Supernet> supernet, nas::Supernet::Create(config.supernet));
  supernet->To(device);
  nas::SearchTask task(config, std::move(supernet), communicator.get());
  // What the last epoch will do must be possible: the depth rule may want cells not searched.
  if (const absl::Status derived = task.CurrentArchitecture().status(); !derived.ok()) {
    return AboutFlag("derive_layers", derived);
  }
  if (IsDryRun()) {
    return DescribeRun(
        absl::StrFormat("search on %d images of %d classes, bits %s", dataset->size(),
                        dataset->class_names().size(), absl::StrJoin(config.supernet.bits, ",")),
        estimate, task, *train, *communicator, options);
  }
  RETURN_IF_ERROR(
      distributed::Train(task, {train.get(), search.get()}, test.get(), *communicator, options)
          .status());
  if (communicator->rank() != 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const nas::Architecture architecture, task.CurrentArchitecture());
  RETURN_IF_ERROR(ReportBudget(config.target, architecture));
  if (!FLAGS_random) RETURN_IF_ERROR(ReportDecisiveness(task));
  return nas::WriteArchitecture(InRunFolder("architecture.json"), architecture);
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Searches operations and bit widths of a network.\n\n"
                        "  mpirun -np 2 search --preset=cifar --train_data=shards/train "
                        "--run=runs/search",
                        tools::SearchPresets(), tools::Search);
}
