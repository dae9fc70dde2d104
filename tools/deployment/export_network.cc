#include "tools/deployment/export_network.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "data/pixels/augmentation.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "gflags/gflags.h"
#include "nas/deployment/level_comparison.h"
#include "nas/deployment/lowering.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/space/image_kind.h"
#include "nas/weights/weight_file.h"
#include "quant/onnx/onnx_network.h"
#include "quant/runtime/network.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/packed_writer.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/output_paths.h"
#include "tools/flags/tool.h"
#include "tools/program/trained_weights.h"

DECLARE_string(weights);
DEFINE_string(
    format, "packed",
    "What to write: packed (quant/runtime/FORMAT.md), which predict and the runtime read; "
    "onnx; or qonnx, its dialect for FPGA tools.");
FLAG_CHOICES(format, {"packed", "onnx", "qonnx"});
DEFINE_string(output, "", "The file to write.");
DEFINE_string(data, "",
              "A data set that gives the classes their names, where the weights do not know them; "
              "without, they are numbers.");
DEFINE_string(
    check_data, "",
    "Images on which the packed network is compared with the trained one; none if empty.");
DEFINE_bool(include_preprocessing, false,
            "The ONNX network takes pixels, uint8, and normalizes them.");
DEFINE_bool(onnx_doubles, true,
            "The ONNX network scales sums in float64, so that it rounds as the packed one does.");

namespace tools {
namespace {

absl::Status CheckFlags() {
  if (FLAGS_format == "packed" && FLAGS_include_preprocessing)
    return absl::InvalidArgumentError("--include_preprocessing: is for ONNX; packed has it always");
  for (const auto& [flag, value] :
       {std::pair("weights", FLAGS_weights), std::pair("output", FLAGS_output)})
    if (value.empty()) return absl::InvalidArgumentError(absl::StrCat("--", flag, ": is required"));
  return RequireWritableFile("output", FLAGS_output);
}

// `classes`: what the weights were trained to tell apart, as far as known.
absl::StatusOr<nas::DeploymentInput> InputOf(const nas::Architecture& architecture,
                                             std::vector<std::string> classes,
                                             const data::Dataset* dataset) {
  if (dataset != nullptr && classes.empty()) classes = dataset->class_names();
  if (dataset != nullptr) {
    RETURN_IF_ERROR(RequireSameClasses(
        {absl::StrCat("--data=", FLAGS_data), dataset->class_names()}, {FLAGS_weights, classes}));
  }
  const data::Augmentation augmentation = architecture.network.images == nas::ImageKind::kCifar
                                              ? data::CifarEval()
                                              : data::ImageNetEval();
  nas::DeploymentInput input = {.classes = std::move(classes),
                                .mean = augmentation.normalization.mean,
                                .std = augmentation.normalization.std,
                                .crop = static_cast<float>(augmentation.center)};
  for (int64_t i = input.classes.size(); i < architecture.network.classes; ++i)
    input.classes.push_back(absl::StrCat(i));
  return input;
}

absl::StatusOr<std::string> BytesOf(const quant::runtime::PackedNetwork& packed) {
  if (FLAGS_format == "packed") return quant::runtime::PackedBytesOf(packed);
  const bool qonnx = FLAGS_format == "qonnx";
  return quant::onnx::OnnxBytesOf(packed, {.dialect = qonnx ? quant::onnx::OnnxDialect::kQonnx
                                                            : quant::onnx::OnnxDialect::kOnnx,
                                           .doubles = FLAGS_onnx_doubles,
                                           .include_preprocessing = FLAGS_include_preprocessing});
}

void PrintSizes(const quant::runtime::PackedNetwork& packed, size_t file_bytes) {
  double bits = 0, weights = 0;
  for (const quant::runtime::Node& node : packed.nodes) {
    const double count = node.weights.size() + node.float_weights.size();
    weights += count;
    bits += count * node.weight_bits;
  }
  absl::PrintF("%s: %d bytes; %.4g weights of %.3g bits on average\n", FLAGS_output, file_bytes,
               weights, bits / weights);
}

// Levels and logits of the packed network beside those of the trained one.
absl::Status Check(nas::DerivedNetwork& network, const quant::runtime::PackedNetwork& packed,
                   const data::Dataset& dataset) {
  ASSIGN_OR_RETURN(const auto runtime, quant::runtime::Network::Create(packed));
  ASSIGN_OR_RETURN(const auto source, EvalSource(dataset, InputShapeOf(network.architecture()),
                                                 distributed::Place(), c10::kCPU));
  nas::LevelComparison comparison(network, *runtime);
  for (int64_t i = 0; i < source->steps_per_epoch(); ++i) {
    ASSIGN_OR_RETURN(const distributed::Batch batch, source->Next());
    comparison.Add(batch.images);
  }
  absl::PrintF("against exact sums  %d of %d levels, %d of %d classes differ, logits by %.2g\n",
               comparison.different_levels(), comparison.levels(), comparison.different_classes(),
               comparison.images(), comparison.largest_difference());
  absl::PrintF("ordinary sums       move %d levels\n", comparison.moved_levels());
  for (const auto& [name, layer] : comparison.layers())
    if (layer.moved > 0) absl::PrintF("  %d of %d: %s\n", layer.moved, layer.levels, name);
  return absl::OkStatus();
}

}  // namespace

absl::Status ExportNetwork() {
  RETURN_IF_ERROR(CheckFlags());
  std::unique_ptr<data::Dataset> dataset;
  if (!FLAGS_data.empty()) {
    ASSIGN_OR_RETURN(dataset, OpenDatasetOfFlag("data", FLAGS_data));
  }
  std::unique_ptr<data::Dataset> check_dataset;
  if (!FLAGS_check_data.empty()) {
    ASSIGN_OR_RETURN(check_dataset, OpenDatasetOfFlag("check_data", FLAGS_check_data));
  }
  std::optional<int64_t> classes;
  if (dataset != nullptr) classes = dataset->class_names().size();
  ASSIGN_OR_RETURN(const nas::Architecture architecture, ArchitectureFromFlags(classes));
  ASSIGN_OR_RETURN(const auto network, nas::DerivedNetwork::Create(architecture));
  ASSIGN_OR_RETURN(const nas::WeightCompanions kept, TrainedWeightsFromFlag(*network));
  if (!kept.ranges.empty()) RETURN_IF_ERROR(UseKeptRanges(kept, *network));
  ASSIGN_OR_RETURN(const nas::DeploymentInput input,
                   InputOf(architecture, kept.classes, dataset.get()));
  ASSIGN_OR_RETURN(const quant::runtime::PackedNetwork packed, nas::LowerNetwork(*network, input));
  ASSIGN_OR_RETURN(const std::string bytes, BytesOf(packed));
  if (IsDryRun()) {
    absl::PrintF("would write %d bytes to %s\n", bytes.size(), FLAGS_output);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(base::WriteFileAtomically(FLAGS_output, bytes));
  PrintSizes(packed, bytes.size());
  return check_dataset == nullptr ? absl::OkStatus() : Check(*network, packed, *check_dataset);
}

}  // namespace tools
