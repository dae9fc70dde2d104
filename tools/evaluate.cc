// Accuracy and cost of a trained network.
//
//   evaluate --architecture=runs/train/architecture.json --weights=runs/train/weights.pt
//       --test_data=shards/test

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/arithmetic.h"
#include "base/file.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "gflags/gflags.h"
#include "nas/derived/activation_ranges.h"
#include "nas/derived/architecture.h"
#include "nas/derived/cost_report.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/weights/weight_file.h"
#include "nlohmann/json.hpp"
#include "quant/exact_sums.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/device_flags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/jpeg_decoder_flag.h"
#include "tools/flags/output_paths.h"
#include "tools/flags/presets.h"
#include "tools/flags/seed_flag.h"
#include "tools/flags/tool.h"
#include "tools/program/calibration.h"
#include "tools/program/evaluation.h"
#include "tools/program/trained_weights.h"

DEFINE_string(test_data, "", "Images to evaluate on.");
DEFINE_string(ranges, "fixed",
              "Ranges of 8-bit activations: fixed (those of --calibrate, or kept with the weights) "
              "or batch (each batch's own, as published).");
FLAG_CHOICES(ranges, {"fixed", "batch"});
DEFINE_int64(calibrate, 0,
             "Find the fixed ranges on so many batches of --calibration_data; 0: take those kept "
             "with the weights.");
FLAG_RANGE(calibrate, tools::FromTo(0, tools::kMany));
DEFINE_string(calibration_data, "", "Training images, for --calibrate.");
DEFINE_string(calibrated_weights, "",
              "File for the weights together with the ranges of --calibrate; none if empty.");
DEFINE_bool(
    exact_sums, false,
    "Convolve levels, which are integers, then scale: sums that no order changes, and what a "
    "packed network computes.");
DEFINE_string(output, "", "File for the results, as JSON; none if empty.");

namespace tools {
namespace {

void PrintCost(const nas::CostReport& report) {
  const quant::ConvCost& exact = report.exact_network.cost;
  const quant::ConvCost& published = report.published_cells.cost;
  const quant::ConvCost ratio = report.exact_network.Compression();
  absl::PrintF("parameters          %d\n", report.num_parameters);
  absl::PrintF(
      "BitOps              %.4g G, %.3g times less than at 32/32 (published count: %.4g M)\n",
      exact.bit_ops * 1e-9, ratio.bit_ops, published.bit_ops);
  absl::PrintF("weight memory       %.4g KB, %.3g times less\n", exact.weight_memory * 1e-3,
               ratio.weight_memory);
  absl::PrintF("activation memory   %.4g KB, %.3g times less\n", exact.activation_memory * 1e-3,
               ratio.activation_memory);
}

// Where the ranges of 8-bit activations come from.
enum class Ranges { kBatch, kKept, kCalibrated };

absl::StatusOr<Ranges> RangesFromFlags() {
  const bool fixed = FLAGS_ranges == "fixed";
  if (!fixed && FLAGS_calibrate > 0) {
    return absl::InvalidArgumentError("--calibrate: contradicts --ranges=batch");
  }
  if (FLAGS_calibrate == 0 && !FLAGS_calibrated_weights.empty()) {
    return absl::InvalidArgumentError("--calibrated_weights: needs --calibrate");
  }
  return !fixed ? Ranges::kBatch : FLAGS_calibrate == 0 ? Ranges::kKept : Ranges::kCalibrated;
}

// Finds the ranges and, with --calibrated_weights, keeps them. `classes` are the weights'.
absl::Status Calibrate(const std::vector<std::string>& classes, nas::DerivedNetwork& network,
                       c10::DeviceType device, distributed::Communicator& communicator) {
  if (!nas::HasRanges(network)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<data::Dataset> dataset,
                   OpenDatasetOfFlag("calibration_data", FLAGS_calibration_data, &communicator));
  ASSIGN_OR_RETURN(const auto source, CalibrationSource(*dataset, SeedFromFlags(),
                                                        InputShapeOf(network.architecture()),
                                                        communicator.place(), device));
  RETURN_IF_ERROR(CalibrateRanges(*source, FLAGS_calibrate, network, communicator));
  if (FLAGS_calibrated_weights.empty() || communicator.rank() != 0) return absl::OkStatus();
  return nas::WriteWeights(FLAGS_calibrated_weights, base::ModuleState(network),
                           nas::StyleOf(network.architecture()),
                           {.ranges = nas::ActivationRanges(network), .classes = classes});
}

absl::Status Evaluate() {
  RETURN_IF_ERROR(ArithmeticFromFlags());
  ASSIGN_OR_RETURN(const Ranges ranges, RangesFromFlags());
  RETURN_IF_ERROR(RequireWritableFile("output", FLAGS_output));
  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  RETURN_IF_ERROR(CheckJpegDecoder(device));
  ASSIGN_OR_RETURN(const std::unique_ptr<distributed::Communicator> communicator,
                   CommunicatorFromFlags(device));
  ASSIGN_OR_RETURN(const std::unique_ptr<data::Dataset> dataset,
                   OpenDatasetOfFlag("test_data", FLAGS_test_data, communicator.get()));
  ASSIGN_OR_RETURN(const nas::Architecture architecture,
                   ArchitectureFromFlags(dataset->class_names().size()));
  ASSIGN_OR_RETURN(const auto network, nas::DerivedNetwork::Create(architecture));
  ASSIGN_OR_RETURN(const nas::WeightCompanions kept, TrainedWeightsFromFlag(*network));
  network->to(device);
  if (ranges == Ranges::kKept) RETURN_IF_ERROR(UseKeptRanges(kept, *network));
  RETURN_IF_ERROR(RequireTrainedClasses(kept, *dataset, FLAGS_test_data, *communicator));
  ASSIGN_OR_RETURN(const auto source,
                   EvalSource(*dataset, InputShapeOf(architecture), communicator->place(), device));
  if (IsDryRun()) {
    if (communicator->rank() == 0) absl::PrintF("would evaluate on %d images\n", dataset->size());
    return communicator->Barrier();
  }
  if (ranges == Ranges::kCalibrated) {
    RETURN_IF_ERROR(Calibrate(kept.classes, *network, device, *communicator));
  }
  std::optional<quant::ExactSumsGuard> exact;
  if (FLAGS_exact_sums) exact.emplace();
  ASSIGN_OR_RETURN(const auto evaluation, EvaluateOn(*source, *network, *communicator));
  const std::map<std::string, double>& means = evaluation.means;
  if (communicator->rank() != 0) return absl::OkStatus();

  ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::LayoutOf(architecture));
  const nas::CostReport report = nas::MakeCostReport(layout, architecture.bits);
  absl::PrintF("accuracy            %.2f %% of %d images\n", 100 * means.at("accuracy"),
               evaluation.judged);
  if (evaluation.judged < evaluation.samples) {
    absl::PrintF("left out            %d of %d images, which are damaged\n",
                 evaluation.samples - evaluation.judged, evaluation.samples);
  }
  if (means.count("top5") > 0)
    absl::PrintF("top-5 accuracy      %.2f %%\n", 100 * means.at("top5"));
  absl::PrintF("loss                %.4f\n", means.at("loss"));
  PrintCost(report);
  absl::PrintF("arithmetic          %s\n", base::DescribeArithmetic());
  if (FLAGS_output.empty()) return absl::OkStatus();
  const nlohmann::ordered_json results = {{"images", evaluation.judged},
                                          {"bad_samples", evaluation.samples - evaluation.judged},
                                          {"means", means},
                                          {"cost", nas::CostReportToJson(report)}};
  return base::WriteFileAtomically(FLAGS_output, results.dump(/*indent=*/1) + "\n");
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Measures a trained network's accuracy and cost.\n\n"
                        "  evaluate --architecture=runs/train/architecture.json "
                        "--weights=runs/train/weights.pt\n"
                        "      --test_data=shards/test",
                        tools::EvaluationPresets(), tools::Evaluate);
}
