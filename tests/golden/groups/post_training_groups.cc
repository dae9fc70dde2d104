#include "tests/golden/groups/post_training_groups.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/isfinite.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/network_quantization.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/weights/published_names.h"
#include "quant/post_training_quantizers.h"
#include "tests/golden/frame/hash_init.h"
#include "tests/golden/frame/value_or_throw.h"
#include "tests/golden/groups/network_weights.h"

namespace golden {
namespace {

// Where the reference divides by zero (constant tensors) or takes artanh of 1, ours is finite.
void NearWhereFinite(const std::string& what, const at::Tensor& actual, const at::Tensor& expected,
                     double tolerance, Comparison& comparison) {
  comparison.Equal(what + " is finite", at::isfinite(actual).all().item<bool>(), true);
  const at::Tensor finite = at::isfinite(expected);
  comparison.Near(what, actual.masked_select(finite), expected.masked_select(finite), tolerance);
}

// Keys <case>/<method><bits>[/out] and <case>/integral[_overflow<rate>] for input <case>/input.
void CheckQuantizers(const GoldenFile& file, Comparison& comparison) {
  constexpr double kTolerance = 1e-6;
  for (const auto& [key, expected] : file.tensors) {
    const size_t slash = key.find('/');
    const std::string what = key.substr(slash + 1);
    const at::Tensor& x = file.Tensor(key.substr(0, slash) + "/input");
    if (absl::StartsWith(what, "integral")) {
      const size_t rate_at = what.find("overflow");
      const double rate = rate_at == std::string::npos ? 0 : std::stod(what.substr(rate_at + 8));
      comparison.Equal(key, quant::IntegralBits(x, rate), expected.item<int64_t>());
      continue;
    }
    const size_t digits = what.find_first_of("0123456789");
    const absl::StatusOr<quant::PostTraining> method =
        quant::ParsePostTraining(what.substr(0, digits));
    if (!method.ok()) continue;  // The input; "loglinear", which no published pipeline calls.
    const int64_t bits = digits == std::string::npos ? 1 : std::stoll(what.substr(digits));
    if (absl::EndsWith(what, "/sf")) {
      const int64_t scale = bits - 1 - quant::IntegralBits(x, 0);
      comparison.Equal(key, static_cast<float>(scale), expected.item<float>());
    } else {
      NearWhereFinite(key, quant::QuantizePostTraining(x, *method, bits), expected, kTolerance,
                      comparison);
    }
  }
}

using nas::PublishedStyle;
using Parameters = std::map<std::string, at::Tensor>;

constexpr double kElement = 1e-5;  // Float networks and single tensors, in float32.
constexpr int kBatches = 4;

std::shared_ptr<nas::DerivedNetwork> MakeNetwork(const GoldenFile& file) {
  const bool imagenet = file.Config("net") == "imagenet";
  const nas::NetworkShape shape = {
      .images = imagenet ? nas::ImageKind::kImageNet : nas::ImageKind::kCifar,
      .image_side = file.Config("image"),
      .channels = file.Config("C"),
      .layers = file.Config("layers"),
      .classes = file.Config("num_classes"),
      .auxiliary = true};
  const nas::Genotype genotype = ValueOrThrow(nas::ParseGenotype(file.Text("genotype")));
  auto network = ValueOrThrow(nas::DerivedNetwork::Create(
      ValueOrThrow(nas::UniformArchitecture(genotype, shape, nas::ConvBits{}))));
  network->eval();
  return network;
}

// Parameters and buffers by their published names.
Parameters PublishedState(const nas::DerivedNetwork& network) {
  const base::TensorMap state = base::ModuleState(network);
  Parameters published;
  for (const auto& [ours, name] : nas::PublishedNames(state, PublishedStyle::kPcDarts)) {
    published.emplace(name, state.at(ours));
  }
  return published;
}

// Calls visit(name, part of `flat`) for every line "name size" of `names`.
template <typename Visitor>
void ForEachPart(const GoldenFile& file, const std::string& flat, const std::string& names,
                 const Visitor& visit) {
  int64_t first = 0;
  for (const std::string& line : Lines(file, names)) {
    const std::vector<std::string> name_and_size = absl::StrSplit(line, ' ');
    const int64_t size = std::stoll(name_and_size.at(1));
    visit(name_and_size[0], file.Tensor(flat).slice(0, first, first + size));
    first += size;
  }
}

// The batches of a set are stored in one of its files, or hashed.
at::Tensor Input(const GoldenFile& file, const GoldenFile& with_inputs, int batch) {
  const std::string key = absl::StrCat("batch", batch, "/input");
  if (with_inputs.tensors.contains(key)) return with_inputs.Tensor(key);
  const int64_t side = file.Config("image");
  return HashInput(absl::StrCat("input", batch), file.Tensor("hash_seed").item<int64_t>(),
                   {file.Config("batch").get<int64_t>(), 3, side, side});
}

GoldenFile WithInputs(const GoldenFile& file) {
  return ValueOrThrow(
      Load({.folder = file.folder,
            .name = absl::StrCat("ptq_", std::string(file.Config("net")), "_linear_p8f8bn12.pt"),
            .entry = file.entry}));
}

void CheckQuantizedState(const GoldenFile& file, const Parameters& state, Comparison& comparison) {
  // A tensor of the linear method is on its grid to the bit; elsewhere log and exp of two libraries
  // may land on two sides of a boundary, one level apart.
  ForEachPart(file, "quant_flat", "quant_names",
              [&](const std::string& name, const at::Tensor& expected) {
                if (!state.at(name).is_floating_point()) return;
                NearWhereFinite("quantized " + name, state.at(name).flatten(), expected, kElement,
                                comparison);
              });
  const std::vector<std::string> names = Lines(file, "quant_norm_names");
  for (size_t i = 0; i < names.size(); ++i) {
    const at::Tensor& tensor = state.at(names[i]);
    if (!tensor.is_floating_point()) continue;
    NearWhereFinite("norm of quantized " + names[i], tensor.to(at::kDouble).norm(),
                    file.Tensor("quant_norms")[i], kElement, comparison);
  }
}

// Our layers by the published names of their quantizers.
std::map<std::string, const nas::OutputQuantizers::Layer*> PublishedLayers(
    const nas::OutputQuantizers& outputs, const nas::DerivedNetwork& network,
    const std::string& method) {
  const auto names = nas::PublishedNames(base::ModuleState(network), PublishedStyle::kPcDarts);
  std::map<std::string, const nas::OutputQuantizers::Layer*> layers;
  for (const nas::OutputQuantizers::Layer& layer : outputs.layers()) {
    auto weight = names.find(layer.name + ".conv.weight");
    if (weight == names.end()) weight = names.find(layer.name + ".weight");
    const std::string module = weight->second.substr(0, weight->second.rfind('.'));
    layers.emplace(absl::StrCat(module, "_", method, "_quant"), &layer);
  }
  return layers;
}

nas::PostTrainingOptions Options(const GoldenFile& file) {
  return {.method = ValueOrThrow(quant::ParsePostTraining(std::string(file.Config("method")))),
          .param_bits = file.Config("param_bits"),
          .bn_bits = file.Config("bn_bits"),
          .forward_bits = file.Config("fwd_bits"),
          .overflow_rate = file.Config("overflow_rate")};
}

std::string LogitsKey(int batch, const char* kind) {
  return absl::StrCat("batch", batch, "/out/logits_", kind);
}

// The scales of the linear method, before the state is quantized.
void CheckStateScales(const GoldenFile& file, const nas::PostTrainingOptions& options,
                      const Parameters& state, Comparison& comparison) {
  if (!file.tensors.contains("quant_sf")) return;
  const std::vector<std::string> names = Lines(file, "quant_norm_names");
  for (size_t i = 0; i < names.size(); ++i) {
    const at::Tensor& tensor = state.at(names[i]);
    if (!tensor.is_floating_point()) continue;
    const bool statistics = absl::StrContains(names[i], "running");
    const int64_t scale = (statistics ? options.bn_bits : options.param_bits) - 1 -
                          quant::IntegralBits(tensor, options.overflow_rate);
    comparison.Equal("scale of " + names[i], static_cast<float>(scale),
                     file.Tensor("quant_sf")[i].item<float>());
  }
}

// Runs the batches, the first of which calibrate.
std::vector<at::Tensor> QuantizedLogits(const GoldenFile& file, nas::DerivedNetwork& network,
                                        nas::OutputQuantizers& outputs) {
  const bool calibrates = std::string(file.Config("method")) == "linear";
  const int num_calibration = calibrates ? file.Config("n_sample").get<int>() : 0;
  const GoldenFile with_inputs = WithInputs(file);
  const at::ScalarType dtype = network.parameters().front().scalar_type();
  std::vector<at::Tensor> logits;
  for (int batch = 0; batch < kBatches; ++batch) {
    outputs.set_calibrating(batch < num_calibration);
    logits.push_back(network.forward(Input(file, with_inputs, batch).to(dtype)).logits);
  }
  return logits;
}

// `logits` are float32's. What a value on a step becomes is decided by rounding: the noise of a
// batch is what the manifest measured between two backends, or by how much float64 parts from them,
// whichever is more. What is wrong in one is wrong in the other.
void CheckQuantizedLogits(const GoldenFile& file, const std::vector<at::Tensor>& logits,
                          const std::vector<at::Tensor>& in_float64, Comparison& comparison) {
  const auto& noise = file.entry.at("tolerance").at("logits_quant_L2rel_two_backends");
  for (int batch = 0; batch < kBatches; ++batch) {
    const std::string key = LogitsKey(batch, "quant");
    const at::Tensor& expected = file.Tensor(key);
    comparison.Equal(key + " is finite", logits[batch].isfinite().all().item<bool>(), true);
    if (!expected.isfinite().all().item<bool>()) continue;
    const double measured = noise.at(batch).is_number() ? noise.at(batch).get<double>() : 0;
    const double rounding =
        ((logits[batch] - in_float64[batch]).norm() / in_float64[batch].norm()).item<double>();
    comparison.NearL2(key, logits[batch], expected,
                      Tolerance(std::max(measured, rounding), kElement));
  }
}

void CheckQuantizedLayers(const GoldenFile& file, const nas::DerivedNetwork& network,
                          const nas::OutputQuantizers& outputs, Comparison& comparison) {
  const auto layers = PublishedLayers(outputs, network, file.Config("method"));
  for (const std::string& name : Lines(file, "out/act_quant_layers")) {
    if (absl::StartsWith(name, "auxiliary_head.")) continue;  // Not run in evaluation.
    comparison.Equal(name + " is quantized", layers.contains(name), true);
  }
}

void CheckActivationScales(const GoldenFile& file, const nas::DerivedNetwork& network,
                           const nas::OutputQuantizers& outputs, Comparison& comparison) {
  if (!file.tensors.contains("act_sf")) return;
  const auto layers = PublishedLayers(outputs, network, file.Config("method"));
  const std::vector<std::string> names = Lines(file, "act_sf_names");
  for (size_t i = 0; i < names.size(); ++i) {
    const auto layer = layers.find(names[i]);
    if (layer == layers.end()) continue;
    comparison.Equal("scale of " + names[i],
                     static_cast<float>(layer->second->quantizer.scale().value_or(0)),
                     file.Tensor("act_sf")[i].item<float>());
  }
}

void CheckPipeline(const GoldenFile& file, Comparison& comparison) {
  const nas::PostTrainingOptions options = Options(file);
  const auto network = MakeNetwork(file);
  const Parameters state = PublishedState(*network);
  const c10::NoGradGuard no_grad;
  SetWeights(file, PublishedParameters(base::ModuleState(*network), PublishedStyle::kPcDarts));
  ForEachPart(file, "bn_flat", "bn_names", [&](const std::string& name, const at::Tensor& value) {
    state.at(name).copy_(value.view_as(state.at(name)));
  });

  const GoldenFile with_inputs = WithInputs(file);
  for (int batch = 0; batch < kBatches; ++batch) {
    const std::string key = LogitsKey(batch, "fp32");
    comparison.Near(key, network->forward(Input(file, with_inputs, batch)).logits, file.Tensor(key),
                    kElement);
  }

  CheckStateScales(file, options, state, comparison);
  nas::QuantizeState(base::ModuleState(*network), options);
  CheckQuantizedState(file, state, comparison);

  const std::vector<at::Tensor> logits = [&] {
    nas::OutputQuantizers outputs(*network, options);
    CheckQuantizedLayers(file, *network, outputs, comparison);
    std::vector<at::Tensor> of_batches = QuantizedLogits(file, *network, outputs);
    CheckActivationScales(file, *network, outputs, comparison);
    return of_batches;
  }();
  network->to(at::kDouble);
  nas::OutputQuantizers outputs(*network, options);
  CheckQuantizedLogits(file, logits, QuantizedLogits(file, *network, outputs), comparison);
}

}  // namespace

std::vector<Group> PostTrainingGroups() {
  return {{"ptq_quantizers\\.pt", CheckQuantizers},
          {"ptq_(cifar|imagenet)_.*\\.pt", CheckPipeline}};
}

}  // namespace golden
