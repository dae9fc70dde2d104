// Accuracy and cost of a trained network.
//
//   evaluate --architecture=runs/train/architecture.json --weights=runs/train/weights.pt
//       --test_data=shards/test

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "gflags/gflags.h"
#include "nas/derived/architecture.h"
#include "nas/derived/cost_report.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nlohmann/json.hpp"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/device_flags.h"
#include "tools/flags/output_paths.h"
#include "tools/flags/presets.h"
#include "tools/flags/tool.h"
#include "tools/program/evaluation.h"
#include "tools/program/read_weights.h"

DEFINE_string(weights, "",
              "Weight file, of ours or of the published code, or folder of a checkpoint.");
DEFINE_string(test_data, "", "Images to evaluate on.");
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

// Reads --weights into `network`. A dry run may come before the training that makes them.
absl::Status ReadWeightsOfFlag(nas::DerivedNetwork& network) {
  if (!FLAGS_weights.empty()) {
    return ReadWeightsOrCheckpoint(FLAGS_weights, base::ModuleState(network));
  }
  if (IsDryRun()) return absl::OkStatus();
  return absl::InvalidArgumentError("--weights: trained weights are required");
}

absl::Status Evaluate() {
  RETURN_IF_ERROR(RequireWritableFile("output", FLAGS_output));
  ASSIGN_OR_RETURN(const std::unique_ptr<data::Dataset> dataset,
                   OpenDatasetOfFlag("test_data", FLAGS_test_data));
  ASSIGN_OR_RETURN(const nas::Architecture architecture,
                   ArchitectureFromFlags(dataset->class_names().size()));
  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  ASSIGN_OR_RETURN(const auto network, nas::DerivedNetwork::Create(architecture));
  RETURN_IF_ERROR(ReadWeightsOfFlag(*network));
  network->to(device);
  ASSIGN_OR_RETURN(const std::unique_ptr<distributed::Communicator> communicator,
                   CommunicatorFromFlags(device));
  ASSIGN_OR_RETURN(const auto source,
                   EvalSource(*dataset, InputShapeOf(architecture), communicator->place()));
  if (IsDryRun()) {
    if (communicator->rank() == 0) absl::PrintF("would evaluate on %d images\n", dataset->size());
    return communicator->Barrier();
  }
  ASSIGN_OR_RETURN(const auto means, EvaluateOn(*source, *network, *communicator));
  if (communicator->rank() != 0) return absl::OkStatus();

  ASSIGN_OR_RETURN(const nas::DerivedLayout layout,
                   nas::MakeDerivedLayout(architecture.genotype, architecture.network));
  const nas::CostReport report = nas::MakeCostReport(layout, architecture.bits);
  absl::PrintF("accuracy            %.2f %% of %d images\n", 100 * means.at("accuracy"),
               dataset->size());
  if (means.count("top5") > 0)
    absl::PrintF("top-5 accuracy      %.2f %%\n", 100 * means.at("top5"));
  absl::PrintF("loss                %.4f\n", means.at("loss"));
  PrintCost(report);
  if (FLAGS_output.empty()) return absl::OkStatus();
  const nlohmann::ordered_json results = {
      {"images", dataset->size()}, {"means", means}, {"cost", nas::CostReportToJson(report)}};
  return base::WriteFileAtomically(FLAGS_output, results.dump(/*indent=*/1) + "\n");
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Measures a trained network's accuracy and cost.",
                        tools::EvaluationPresets(), tools::Evaluate);
}
