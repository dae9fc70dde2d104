#include "tests/golden/groups/quant_groups.h"

#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/dot.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/softmax.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/where.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "quant/precision.h"
#include "quant/precision_conv.h"
#include "quant/quantizers.h"

namespace golden {
namespace {

using quant::EightBit;
using quant::Role;

// The manifest's "1 ulp" for single quantizers.
constexpr double kOneUlp = 2.4e-7;

at::Tensor Leaf(const at::Tensor& value) { return value.detach().clone().set_requires_grad(true); }

// Forward and gradient of one quantizer: keys prefix/{input, output, grad_out, grad/input}.
template <typename Quantizer>
void CheckQuantizer(const GoldenFile& file, const std::string& prefix, const std::string& input,
                    const std::string& output, const Quantizer& quantize, Comparison& comparison) {
  const at::Tensor x = Leaf(file.Tensor(prefix + "/" + input));
  const at::Tensor y = quantize(x);
  // The search network's 8 bits divide by 0 on a constant channel, where ours does not.
  const at::Tensor& expected = file.Tensor(prefix + "/" + output);
  comparison.Near(prefix + "/" + output, at::where(expected.isnan(), expected, y.detach()),
                  expected, kOneUlp);
  (y * file.Tensor(prefix + "/grad_out")).sum().backward();
  const std::string gradient = prefix + "/grad/" + input;
  comparison.Near(gradient, x.grad(), file.Tensor(gradient), 0);
}

at::Tensor OnLattice(const at::Tensor& x, quant::Lattice<float> lattice) {
  const int64_t fields = sizeof(lattice) / sizeof(float);
  const at::Tensor lattices = at::from_blob(&lattice, {1, 1, fields}, x.scalar_type()).clone();
  return quant::MixedQuantize(x, at::ones({1}, x.scalar_type()), lattices, 0);
}

// Values half-way between two levels, for steps that are exact in binary.
void CheckTies(const GoldenFile& file, const std::string& prefix, Comparison& comparison) {
  const at::Tensor& x = file.Tensor(prefix + "/input");
  for (const auto& [key, expected] : file.tensors) {
    const size_t step_at = key.find("/out_step");
    if (!absl::StartsWith(key, prefix + "/") || step_at == std::string::npos) continue;
    std::string step_text = key.substr(step_at + std::string("/out_step").size());
    quant::Lattice<float> lattice;
    double step = 0;
    if (const size_t bits_at = step_text.find("_bit"); bits_at != std::string::npos) {
      const int64_t bits = std::stoll(step_text.substr(bits_at + std::string("_bit").size()));
      step = std::stod(step_text.substr(0, bits_at));
      lattice = quant::GaussianLattice<float>(bits, step);
    } else {
      step = std::stod(step_text);
      lattice = quant::HwgqLattice<float>(4, step);
      lattice.low = -std::numeric_limits<float>::infinity();
      lattice.high = std::numeric_limits<float>::infinity();
    }
    comparison.Near(key, OnLattice(x, lattice), expected, 0);
  }
}

void CheckQuantizers(const GoldenFile& file, const QuantUnderTest& quant, Comparison& comparison) {
  std::set<std::string> cases;
  for (const auto& [key, tensor] : file.tensors) cases.insert(key.substr(0, key.find('/')));
  for (const std::string& name : cases) {
    int64_t bits = 8;
    Role role = Role::kActivation;
    EightBit eight_bit = EightBit::kPublished;
    const auto quantize = [&](const at::Tensor& x) {
      return quant.quantize(x, bits, role, eight_bit);
    };
    if (absl::EndsWith(name, "_exact_tie")) {
      CheckTies(file, name, comparison);
    } else if (absl::StartsWith(name, "hwgq")) {
      bits = std::stoll(name.substr(4));
      CheckQuantizer(file, name, "input", "out", quantize, comparison);
    } else if (absl::StartsWith(name, "gauss")) {
      bits = std::stoll(name.substr(5));
      role = Role::kWeight;
      const double step = file.Tensor(name + "/step").item<double>();
      if (absl::EndsWith(name, "_ties")) {  // weights on the steps of another tensor
        const auto on_lattice = [&](const at::Tensor& w) {
          return OnLattice(w, quant::GaussianLattice<float>(bits, step));
        };
        CheckQuantizer(file, name, "weight", "out", on_lattice, comparison);
      } else {
        CheckQuantizer(file, name, "weight", "out", quantize, comparison);
      }
    } else if (absl::StartsWith(name, "perch")) {
      bits = file.Tensor(name + "/bit").item<int64_t>();
      const bool posonly = file.Tensor(name + "/posonly_arg").item<int64_t>() != 0;
      role = posonly ? Role::kActivation : Role::kWeight;
      CheckQuantizer(file, name, "input", "out_eval", quantize, comparison);
      eight_bit = EightBit::kPublishedSearch;
      CheckQuantizer(file, name, "input", "out_search", quantize, comparison);
    } else {
      throw std::invalid_argument("unknown case " + name);
    }
  }
}

std::array<int64_t, 2> Pair(const nlohmann::json& value) {
  if (value.is_array()) return {value.at(0), value.at(1)};
  return {value, value};
}

void CheckMixedConv(const GoldenFile& file, const QuantUnderTest& quant, Comparison& comparison) {
  const nlohmann::json& config = file.entry.at("config");
  quant::PrecisionConv2d conv(
      quant::ConvOptions{.in_channels = file.Config("inplane"),
                         .out_channels = file.Config("outplane"),
                         .kernel = Pair(file.Config("kernel_size")),
                         .stride = Pair(config.value("stride", nlohmann::json(1))),
                         .padding = Pair(config.value("padding", nlohmann::json(0))),
                         .dilation = Pair(config.value("dilation", nlohmann::json(1))),
                         .groups = config.value("groups", 1),
                         .eight_bit = EightBit::kPublishedSearch});
  const at::Tensor weight = conv->parameters()[0];
  {
    const at::NoGradGuard no_grad;
    weight.copy_(file.Tensor("param/mix_weight.conv.weight"));
  }
  const at::Tensor x = Leaf(file.Tensor("input"));
  const at::Tensor gamma_act = Leaf(file.Tensor("gamma/act"));
  const at::Tensor gamma_wt = Leaf(file.Tensor("gamma/wt"));
  const quant::Precision precision =
      quant::Precision::Mixed(file.Config("bits").get<std::vector<int64_t>>(),
                              at::softmax(gamma_act, 0), at::softmax(gamma_wt, 0));

  const nlohmann::json& noise = file.entry.at("tolerance");
  const double out_tolerance = ElementTolerance(noise.at("out_f64"));
  const double grad_tolerance = ElementTolerance(noise.at("grad_f64"));
  const at::Tensor out = conv->forward(x, precision);
  comparison.Near("out/out", out, file.Tensor("out/out"), out_tolerance);
  (out * file.Tensor("grad_out")).sum().backward();
  const auto check_gradient = [&](const std::string& key, const at::Tensor& leaf) {
    comparison.Near(key, leaf.grad(), file.Tensor(key), grad_tolerance);
  };
  check_gradient("grad/input", x);
  check_gradient("grad/weight", weight);
  check_gradient("grad/gamma_act", gamma_act);
  check_gradient("grad/gamma_wt", gamma_wt);

  const double size_product = quant::Macs(conv->shape(), quant.published_cost_model);
  comparison.Near("out/size_product", size_product, file.Tensor("out/size_product").item<double>(),
                  kOneUlp);
  comparison.Near("out/memory_size", quant::Activations(conv->shape(), quant.published_cost_model),
                  file.Tensor("out/memory_size").item<double>(), kOneUlp);
  gamma_act.mutable_grad().zero_();
  gamma_wt.mutable_grad().zero_();
  const at::Tensor bits =
      at::tensor(precision.activation_bits, at::kLong).to(gamma_act.scalar_type());
  const at::Tensor complexity =
      at::softmax(gamma_act, 0).dot(bits) * at::softmax(gamma_wt, 0).dot(bits) * size_product;
  comparison.Near("out/complexity_loss", complexity, file.Tensor("out/complexity_loss"),
                  out_tolerance);
  complexity.backward();
  check_gradient("grad_complexity/gamma_act", gamma_act);
  check_gradient("grad_complexity/gamma_wt", gamma_wt);
}

}  // namespace

QuantUnderTest Production() {
  return {.quantize =
              [](const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit) {
                return role == Role::kActivation ? quant::QuantizeActivation(x, bits, eight_bit)
                                                 : quant::QuantizeWeight(x, bits, eight_bit);
              },
          .published_cost_model = quant::CostModel::kPublished};
}

std::vector<Group> QuantGroups(const QuantUnderTest& quant) {
  return {{"quantizers.*\\.pt",
           [quant](const GoldenFile& file, Comparison& comparison) {
             CheckQuantizers(file, quant, comparison);
           }},
          {"mixconv_.*\\.pt", [quant](const GoldenFile& file, Comparison& comparison) {
             CheckMixedConv(file, quant, comparison);
           }}};
}

}  // namespace golden
