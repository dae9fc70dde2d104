#include "nas/learning/network_quantization.h"

#include <memory>
#include <utility>
#include <vector>

#include "ATen/ops/tensor.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "nas/operations/auxiliary_head.h"
#include "nas/operations/operations.h"

namespace nas {
namespace {

constexpr int64_t kNotQuantized = 32;

}  // namespace

absl::Status PostTrainingOptions::Check() const {
  const auto positive = [](absl::string_view field, int64_t bits) {
    if (bits >= 1) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        field, " is ", bits, ", allowed are 1 or more; from 32 on nothing is quantized"));
  };
  RETURN_IF_ERROR(positive("param_bits", param_bits));
  RETURN_IF_ERROR(positive("bn_bits", bn_bits));
  RETURN_IF_ERROR(positive("forward_bits", forward_bits));
  if (overflow_rate >= 0 && overflow_rate < 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("overflow_rate is ", overflow_rate, ", allowed are 0 to below 1"));
}

void QuantizeState(const base::TensorMap& state, const PostTrainingOptions& options) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) {
    const bool statistics = absl::StrContains(name, ".running_");
    const int64_t bits = statistics ? options.bn_bits : options.param_bits;
    if (bits >= kNotQuantized || !tensor.is_floating_point()) continue;
    tensor.copy_(quant::QuantizePostTraining(tensor, options.method, bits, options.overflow_rate));
  }
}

OutputQuantizers::OutputQuantizers(torch::nn::Module& network, const PostTrainingOptions& options) {
  if (options.forward_bits < kNotQuantized) Add(network, "", options);
}

OutputQuantizers::~OutputQuantizers() {
  for (const Layer& layer : layers_) layer.tap->set_output_tap({});
}

void OutputQuantizers::Add(torch::nn::Module& module, const std::string& name,
                           const PostTrainingOptions& options) {
  if (module.as<FactorizedReduce>() != nullptr || module.as<AuxiliaryHead>() != nullptr) return;
  if (auto* tap = dynamic_cast<base::OutputTap*>(&module)) {
    Layer& layer = layers_.emplace_back(Layer{
        name, tap,
        quant::CalibratedQuantizer(options.method, options.forward_bits, options.overflow_rate)});
    tap->set_output_tap([this, &layer](const at::Tensor& y) {
      if (!calibrating_) return layer.quantizer.Quantize(y);
      layer.quantizer.Observe(y);
      return y;
    });
  }
  for (const auto& child : module.named_children()) {
    Add(*child.value(), absl::StrCat(name, name.empty() ? "" : ".", child.key()), options);
  }
}

absl::Status OutputQuantizers::AgreeOnLevels(distributed::Communicator& communicator) {
  using Calibration = quant::CalibratedQuantizer::Calibration;
  std::vector<double> observed;
  for (const Layer& layer : layers_) {
    if (!layer.quantizer.calibrates()) continue;
    const Calibration& calibration = layer.quantizer.calibration();
    observed.insert(observed.end(), calibration.begin(), calibration.end());
  }
  if (observed.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const at::Tensor of_ranks,
                   communicator.AllGather(at::tensor(observed, at::kDouble)));
  const at::Tensor least = of_ranks.amin(/*dim=*/0);
  int64_t next = 0;
  for (Layer& layer : layers_) {
    if (!layer.quantizer.calibrates()) continue;
    Calibration calibration;
    for (double& value : calibration) value = least[next++].item<double>();
    if (calibration == quant::CalibratedQuantizer::kNothingObserved) {
      return absl::FailedPreconditionError(absl::StrCat(layer.name, ": saw no calibration batch"));
    }
    layer.quantizer.set_calibration(calibration);
  }
  return absl::OkStatus();
}

}  // namespace nas
