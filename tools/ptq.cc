// Post-training quantization of a trained float network: accuracy before and after, for every
// method and every pair of bits asked for.
//
//   ptq --architecture=runs/float/architecture.json --weights=runs/float/weights.pt
//       --test_data=shards/test --methods=linear,minmax --sweep=8/8,4/8,4/4,2/2

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/arithmetic.h"
#include "base/file.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/loader_source.h"
#include "gflags/gflags.h"
#include "nas/derived/architecture.h"
#include "nas/derived/cost_report.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/network_quantization.h"
#include "nas/weights/weight_file.h"
#include "nlohmann/json.hpp"
#include "quant/post_training_quantizers.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/device_flags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/jpeg_decoder_flag.h"
#include "tools/flags/output_paths.h"
#include "tools/flags/presets.h"
#include "tools/flags/tool.h"
#include "tools/program/calibration.h"
#include "tools/program/evaluation.h"
#include "tools/program/trained_weights.h"
#include "torch/utils.h"

DEFINE_string(test_data, "", "Images to evaluate on.");
DEFINE_string(calibration_data, "",
              "Images on which all methods but tanh find their levels; the test images if empty.");
DEFINE_int64(calibration_batches, 80, "How many batches of them, at most.");
FLAG_RANGE(calibration_batches, tools::FromTo(1, tools::kMany));
DEFINE_string(
    ranges, "fixed",
    "Ranges of 8-bit activations, and levels of layers' outputs by the methods minmax and log: "
    "fixed (kept with the weights; calibrated) or batch (each batch's own, as published).");
FLAG_CHOICES(ranges, {"fixed", "batch"});
DEFINE_string(methods, "linear", "Methods: some of linear,minmax,log,tanh.");
DEFINE_string(
    sweep, "8/8",
    "Bits of layers' outputs and of parameters: pairs as in 8/8,4/8,4/4; 32: as they are.");
DEFINE_int64(bn_bits, 12, "Bits of running means and variances; 32: as they are.");
FLAG_RANGE(bn_bits, tools::FromTo(1, 32));
DEFINE_double(overflow_rate, 0,
              "Share of the largest values that the linear method's scales may cut off.");
FLAG_RANGE(overflow_rate, tools::FromBelow(0, 1));
DEFINE_string(output, "", "File for the results, as JSON; none if empty.");

namespace tools {
namespace {

using Json = nlohmann::ordered_json;

// What the flags ask for, method by method and pair by pair.
absl::StatusOr<std::vector<std::pair<std::string, nas::PostTrainingOptions>>> OptionsFromFlags() {
  std::vector<std::pair<std::string, nas::PostTrainingOptions>> all;
  for (const absl::string_view method : absl::StrSplit(FLAGS_methods, ',')) {
    nas::PostTrainingOptions options = {.bn_bits = FLAGS_bn_bits,
                                        .overflow_rate = FLAGS_overflow_rate};
    ASSIGN_OR_RETURN(options.method, ValueOfFlag("methods", quant::ParsePostTraining(method)));
    for (const absl::string_view pair : absl::StrSplit(FLAGS_sweep, ',')) {
      const std::vector<std::string> bits = absl::StrSplit(pair, '/');
      if (bits.size() != 2 || !absl::SimpleAtoi(bits[0], &options.forward_bits) ||
          !absl::SimpleAtoi(bits[1], &options.param_bits)) {
        return absl::InvalidArgumentError(
            absl::StrCat("--sweep: '", pair, "' is not a pair of bits as in 4/8"));
      }
      RETURN_IF_ERROR(options.Check());
      all.emplace_back(std::string(method), options);
    }
  }
  return all;
}

base::TensorMap Copy(const base::TensorMap& state) {
  base::TensorMap copy;
  for (const auto& [name, tensor] : state) copy.emplace(name, tensor.detach().clone());
  return copy;
}

// The measurements of one line of the table: `bits` are the convolutions'.
absl::StatusOr<Json> Results(const nas::Architecture& architecture, nas::ConvBits bits,
                             const std::map<std::string, double>& means) {
  ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::LayoutOf(architecture));
  const std::vector<nas::ConvBits> of_convs(layout.convs.size(), bits);
  return Json{{"means", means},
              {"cost", nas::CostReportToJson(nas::MakeCostReport(layout, of_convs))}};
}

class Sweep {
 public:
  Sweep(std::shared_ptr<nas::DerivedNetwork> network, bool fixed_ranges,
        distributed::BatchSource* calibration, distributed::BatchSource* test,
        distributed::Communicator* communicator)
      : network_(std::move(network)),
        fixed_ranges_(fixed_ranges),
        trained_(Copy(base::ModuleState(*network_))),
        calibration_(calibration),
        test_(test),
        communicator_(communicator) {}

  // Quantizes the trained network, evaluates it, and makes it float again.
  absl::StatusOr<std::map<std::string, double>> Evaluate(const nas::PostTrainingOptions& options) {
    const torch::NoGradGuard no_grad;
    const base::TensorMap state = base::ModuleState(*network_);
    nas::QuantizeState(state, options);
    nas::OutputQuantizers outputs(*network_, options);
    if (fixed_ranges_ || options.method == quant::PostTraining::kLinear) {
      RETURN_IF_ERROR(Calibrate(outputs));
    }
    auto evaluation = EvaluateOn(*test_, *network_, *communicator_);
    RETURN_IF_ERROR(base::CopyState(trained_, state));
    RETURN_IF_ERROR(evaluation.status());
    return evaluation->means;
  }

 private:
  absl::Status Calibrate(nas::OutputQuantizers& outputs) {
    network_->eval();
    outputs.set_calibrating(true);
    RETURN_IF_ERROR(calibration_->Seek(/*epoch=*/0, /*step=*/0));
    const int64_t batches = std::min(FLAGS_calibration_batches, calibration_->steps_per_epoch());
    for (int64_t step = 0; step < batches; ++step) {
      ASSIGN_OR_RETURN(const distributed::Batch batch, calibration_->Next());
      if (batch.images.size(0) > 0) {
        network_->forward(batch.images.to(network_->parameters().front().options()));
      }
    }
    outputs.set_calibrating(false);
    return outputs.AgreeOnLevels(*communicator_);
  }

  const std::shared_ptr<nas::DerivedNetwork> network_;
  const bool fixed_ranges_;
  const base::TensorMap trained_;
  distributed::BatchSource* const calibration_;
  distributed::BatchSource* const test_;
  distributed::Communicator* const communicator_;
};

// What is measured, and on what.
struct Inputs {
  std::unique_ptr<data::Dataset> test_data, calibration_data;
  std::unique_ptr<distributed::Communicator> communicator;
  std::unique_ptr<distributed::LoaderSource> test, calibration;
  std::shared_ptr<nas::DerivedNetwork> network;  // On --device, with its fixed ranges.
};

absl::StatusOr<Inputs> InputsFromFlags(bool fixed_ranges) {
  Inputs inputs;
  ASSIGN_OR_RETURN(const c10::DeviceType device, DeviceFromFlags());
  RETURN_IF_ERROR(CheckJpegDecoder(device));
  ASSIGN_OR_RETURN(inputs.communicator, CommunicatorFromFlags(device));
  ASSIGN_OR_RETURN(inputs.test_data,
                   OpenDatasetOfFlag("test_data", FLAGS_test_data, inputs.communicator.get()));
  const std::string& calibration_path =
      FLAGS_calibration_data.empty() ? FLAGS_test_data : FLAGS_calibration_data;
  ASSIGN_OR_RETURN(inputs.calibration_data, OpenDatasetOfFlag("calibration_data", calibration_path,
                                                              inputs.communicator.get()));
  ASSIGN_OR_RETURN(const nas::Architecture architecture,
                   ArchitectureFromFlags(inputs.test_data->class_names().size()));
  const InputShape shape = InputShapeOf(architecture);
  const distributed::Place place = inputs.communicator->place();
  ASSIGN_OR_RETURN(inputs.test, EvalSource(*inputs.test_data, shape, place, device));
  ASSIGN_OR_RETURN(inputs.calibration, EvalSource(*inputs.calibration_data, shape, place, device));

  ASSIGN_OR_RETURN(inputs.network, nas::DerivedNetwork::Create(architecture));
  ASSIGN_OR_RETURN(const nas::WeightCompanions kept, TrainedWeightsFromFlag(*inputs.network));
  RETURN_IF_ERROR(
      RequireTrainedClasses(kept, *inputs.test_data, FLAGS_test_data, *inputs.communicator));
  inputs.network->to(device);
  if (fixed_ranges) RETURN_IF_ERROR(UseKeptRanges(kept, *inputs.network));
  return inputs;
}

struct Table {
  std::string text;
  Json results;  // What --output gets.
};

// The network before, and after each of `options`.
absl::StatusOr<Table> Measure(
    const Inputs& inputs, bool fixed_ranges,
    const std::vector<std::pair<std::string, nas::PostTrainingOptions>>& options) {
  const nas::Architecture& architecture = inputs.network->architecture();
  ASSIGN_OR_RETURN(const auto evaluation,
                   EvaluateOn(*inputs.test, *inputs.network, *inputs.communicator));
  const std::map<std::string, double>& means = evaluation.means;
  ASSIGN_OR_RETURN(Json before, Results(architecture, nas::ConvBits{}, means));
  Table table;
  table.text = absl::StrFormat("%-8s %8s %8s %11s %9s\n", "method", "outputs", "params",
                               "accuracy, %", "loss");
  absl::StrAppendFormat(&table.text, "%-8s %8s %8s %11.2f %9.4f\n", "float", "", "",
                        100 * means.at("accuracy"), means.at("loss"));
  Json quantized = Json::array();
  Sweep sweep(inputs.network, fixed_ranges, inputs.calibration.get(), inputs.test.get(),
              inputs.communicator.get());
  for (const auto& [method, option] : options) {
    ASSIGN_OR_RETURN(const auto after, sweep.Evaluate(option));
    absl::StrAppendFormat(&table.text, "%-8s %8d %8d %11.2f %9.4f\n", method, option.forward_bits,
                          option.param_bits, 100 * after.at("accuracy"), after.at("loss"));
    ASSIGN_OR_RETURN(Json entry,
                     Results(architecture, {option.forward_bits, option.param_bits}, after));
    entry["method"] = method;
    entry["forward_bits"] = option.forward_bits;
    entry["param_bits"] = option.param_bits;
    quantized.push_back(std::move(entry));
  }
  table.results = {{"bn_bits", FLAGS_bn_bits},
                   {"overflow_rate", FLAGS_overflow_rate},
                   {"float", std::move(before)},
                   {"quantized", std::move(quantized)}};
  return table;
}

absl::Status Run() {
  RETURN_IF_ERROR(ArithmeticFromFlags());
  const bool fixed_ranges = FLAGS_ranges == "fixed";
  RETURN_IF_ERROR(RequireWritableFile("output", FLAGS_output));
  ASSIGN_OR_RETURN(const auto options, OptionsFromFlags());
  ASSIGN_OR_RETURN(const Inputs inputs, InputsFromFlags(fixed_ranges));
  if (IsDryRun()) {
    if (inputs.communicator->rank() == 0) {
      absl::PrintF("would quantize in %d ways, and evaluate on %d images\n", options.size(),
                   inputs.test_data->size());
    }
    return inputs.communicator->Barrier();
  }
  ASSIGN_OR_RETURN(const Table table, Measure(inputs, fixed_ranges, options));
  if (inputs.communicator->rank() != 0) return absl::OkStatus();
  absl::PrintF("%s", table.text);
  absl::PrintF("arithmetic %s\n", base::DescribeArithmetic());
  if (FLAGS_output.empty()) return absl::OkStatus();
  return base::WriteFileAtomically(FLAGS_output, table.results.dump(/*indent=*/1) + "\n");
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Quantizes a trained network and measures what is left.\n\n"
                        "  ptq --architecture=runs/float/architecture.json "
                        "--weights=runs/float/weights.pt\n"
                        "      --test_data=shards/test --methods=linear,minmax --sweep=8/8,4/4",
                        tools::EvaluationPresets(), tools::Run);
}
