#include "tests/golden/groups/supernet_groups.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/softmax.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/derivation/genotype_derivation.h"
#include "nas/learning/losses.h"
#include "nas/space/genotype.h"
#include "nas/supernet/supernet_cell.h"
#include "nas/weights/published_names.h"
#include "quant/precision_conv.h"
#include "tests/golden/groups/network_weights.h"

namespace golden {
namespace {

using nas::PublishedStyle;

// Golden values are stored in float32: sizes to the last bit or two, other values with this floor.
constexpr double kOneUlp = 2.4e-7;

at::Tensor Leaf(const at::Tensor& value) {
  return value.detach()
      .to(at::kDouble, /*non_blocking=*/false, /*copy=*/true)
      .set_requires_grad(true);
}

double Noise(const GoldenFile& file, const std::string& quantity, const std::string& kind) {
  return file.entry.at("tolerance").at(quantity).at(kind);
}

PublishedStyle StyleOf(const GoldenFile& file) {
  return absl::StartsWith(file.name, "pcdarts") ? PublishedStyle::kPcDarts
                                                : PublishedStyle::kQdartsSupernet;
}

// The two published search networks: theirs for ImageNet has k = 2 and a longer stem.
bool IsImageNet(const GoldenFile& file) {
  const nlohmann::json& config = file.entry.at("config");
  for (const char* key : {"supernet", "net"}) {
    if (config.contains(key)) return absl::StrContains(std::string(config.at(key)), "imagenet");
  }
  return absl::StrContains(file.Text("grad_names"), "stem0.");
}

void CheckCell(const GoldenFile& file, const SupernetUnderTest& test, Comparison& comparison) {
  const bool reduction = file.Config("reduction");
  auto cell = std::make_shared<nas::SupernetCell>(
      nas::SupernetCellOptions{.input0_channels = file.Config("C_prev_prev"),
                               .input1_channels = file.Config("C_prev"),
                               .channels = file.Config("C"),
                               .partial_channels = IsImageNet(file) ? 2 : 4,
                               .reduction = reduction,
                               .previous_reduction = file.Config("reduction_prev"),
                               .eight_bit = quant::EightBit::kPublishedSearch});
  cell->to(at::kDouble);
  // Names inside a cell are those of a network's cell without its number.
  const std::string number = "cells.0.";
  base::TensorMap state;
  for (const auto& [name, tensor] : base::ModuleState(*cell)) state.emplace(number + name, tensor);
  std::map<std::string, at::Tensor> parameters;
  for (const auto& [name, tensor] : PublishedParameters(state, PublishedStyle::kQdartsSupernet)) {
    parameters.emplace(name.substr(number.size()), tensor);
  }
  SetWeights(file, parameters);
  base::TensorMap raw;
  for (const auto& [key, value] : file.tensors) {
    if (absl::StartsWith(key, "raw/")) raw.emplace(key, Leaf(value));
  }
  test.alter(*cell, raw);

  const std::vector<int64_t> bits = file.Config("bits");
  const auto mixed = [&](const at::Tensor& activation, const at::Tensor& weight) {
    return quant::Precision::Mixed(bits, activation.softmax(0), weight.softmax(0));
  };
  nas::CellPrecision precision;
  precision.preprocess = {mixed(raw.at("raw/preact0"), raw.at("raw/prewt0")),
                          mixed(raw.at("raw/preact1"), raw.at("raw/prewt1"))};
  for (int edge = 0; edge < nas::kCellEdges; ++edge) {
    for (int row = 0; row < nas::kNumGammaRows; ++row) {
      precision.edges[edge][row] =
          mixed(raw.at("raw/gamma_act")[edge][row], raw.at("raw/gamma_wt")[edge][row]);
    }
  }
  const at::Tensor s0 = Leaf(file.Tensor("input/s0")), s1 = Leaf(file.Tensor("input/s1"));
  const at::Tensor out =
      cell->forward(s0, s1, nas::CellMixture(raw.at("raw/alphas"), raw.at("raw/betas")), precision);
  comparison.Near("out64/out", out, file.Tensor("out64/out"), Tolerance64(file, "out"));

  (out * file.Tensor("grad_out")).sum().backward();
  for (const auto& [key, leaf] : raw) {
    const std::string name = key.substr(std::string("raw/").size());
    comparison.NearL2("grad64/" + key, leaf.grad(), file.Tensor("grad64/" + key),
                      Tolerance64(file, "g_" + name));
  }
  CheckGradientNorms(file, parameters, comparison);
  // Stored in float32 only.
  for (const auto& [name, leaf] : {std::pair("s0", s0), std::pair("s1", s1)}) {
    const std::string key = absl::StrCat("grad/input/", name);
    comparison.NearL2(key, leaf.grad(), file.Tensor(key),
                      Tolerance(Noise(file, name, "f32_vs_f64"), kStored));
  }
}

at::Tensor RunningStatistics(const GoldenFile& file, const base::TensorMap& state) {
  const auto names = nas::PublishedNames(state, StyleOf(file));
  std::map<std::string, at::Tensor> by_published;
  for (const auto& [ours, published] : names) by_published[published] = state.at(ours);
  std::vector<at::Tensor> flat;
  for (const std::string& line : Lines(file, "buffer_after_running_names")) {
    const std::vector<std::string> name_and_size = absl::StrSplit(line, ' ');
    flat.push_back(by_published.at(name_and_size.at(0)).flatten());
  }
  return at::cat(flat);
}

// What the published mixed convolutions, all of them in cells, note down at every forward.
void CheckConvSizes(const GoldenFile& file, torch::nn::Module& network, quant::CostModel cost_model,
                    Comparison& comparison) {
  std::map<std::string, const quant::PrecisionConv2dImpl*> convs;
  for (const auto& named : network.named_modules("", /*include_self=*/false)) {
    const auto* conv = named.value()->as<quant::PrecisionConv2dImpl>();
    if (conv != nullptr && absl::StartsWith(named.key(), "cells.")) convs[named.key()] = conv;
  }
  for (const std::string quantity : {"size_product", "memory_size"}) {
    const std::string prefix = absl::StrCat("buffer_after_", quantity);
    const at::Tensor& expected = file.Tensor(prefix + "_flat");
    const std::vector<std::string> names = Lines(file, prefix + "_names");
    comparison.Equal("convolutions with " + quantity, convs.size(), names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string name = names[i].substr(0, names[i].find("." + quantity));
      const quant::ConvShape& shape = convs.at(name)->shape();
      const double actual = quantity == "size_product" ? quant::Macs(shape, cost_model)
                                                       : quant::Activations(shape, cost_model);
      comparison.Near(names[i], actual, expected[i].item<double>(), kOneUlp);
    }
  }
}

void CheckGenotype(const GoldenFile& file, const base::TensorMap& state, Comparison& comparison) {
  const auto genotype = nas::DeriveGenotype(state.at("alphas_normal"), state.at("alphas_reduce"),
                                            state.at("betas_normal"), state.at("betas_reduce"));
  if (!genotype.ok()) throw std::invalid_argument(genotype.status().ToString());
  comparison.Equal("out/genotype", nas::GenotypeToText(*genotype), file.Text("out/genotype"));
}

void CheckSupernet(const GoldenFile& file, const SupernetUnderTest& test, Comparison& comparison) {
  const auto supernet = MakeSupernet(file, test);
  const base::TensorMap state = supernet->State();
  CheckGenotype(file, state, comparison);

  const at::Tensor input = file.Tensor("input").to(at::kDouble);
  const at::Tensor logits = supernet->Forward(input);
  const at::Tensor cross_entropy = nas::CrossEntropy(logits, file.Tensor("target"));
  const at::Tensor complexity = supernet->Complexity();
  const at::Tensor total = cross_entropy + complexity * file.Config("cd").get<double>();
  comparison.Near("out64/logits", logits, file.Tensor("out64/logits"), Tolerance64(file, "logits"));
  comparison.Near("out64/ce", cross_entropy, file.Tensor("out64/ce"), Tolerance64(file, "ce"));
  comparison.Near("out64/complexity_loss", complexity, file.Tensor("out64/complexity_loss"),
                  Tolerance64(file, "comp"));
  comparison.Near("out64/total", total, file.Tensor("out64/total"), Tolerance64(file, "tot"));
  CheckConvSizes(file, supernet->network(), test.published_cost_model, comparison);

  total.backward();
  for (const auto& [key, expected] : file.tensors) {
    if (!absl::StartsWith(key, "grad64/")) continue;
    const std::string name = key.substr(key.rfind('/') + 1);
    comparison.NearL2(key, state.at(name).grad(), expected,
                      Tolerance64(file, "grad/" + key.substr(std::string("grad64/").size())));
  }
  CheckGradientNorms(
      file, PublishedParameters(base::ModuleState(supernet->network()), StyleOf(file)), comparison);

  // The statistics are those of a float32 run.
  const std::vector<double> cells = file.entry.at("tolerance").at("cells_f32_vs_f64");
  comparison.NearL2("buffer_after_running_flat", RunningStatistics(file, state),
                    file.Tensor("buffer_after_running_flat"),
                    Tolerance(*std::max_element(cells.begin(), cells.end()), kStored));

  const c10::NoGradGuard no_grad;
  supernet->network().eval();
  const at::Tensor eval_logits = supernet->Forward(input);
  const at::Tensor& expected = file.Tensor("out64/eval_logits");
  if (expected.isfinite().all().item<bool>()) {
    comparison.Near("out64/eval_logits", eval_logits, expected, Tolerance64(file, "eval"));
  } else {  // The published search divides by zero on a constant channel.
    comparison.Equal("finite eval logits", eval_logits.isfinite().all().item<bool>(), true);
  }
}

// PC-DARTS/model_search_imagenet.py runs every edge twice in a forward pass, to ask for its
// output's device: running statistics there take two steps of 0.1 from (0, 1) towards the batch's.
void MoveEdgeStatisticsAgain(const base::TensorMap& state) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) {
    if (!absl::StrContains(name, "._ops.")) continue;
    if (absl::EndsWith(name, "running_mean")) tensor.mul_(1.9);
    if (absl::EndsWith(name, "running_var")) tensor.mul_(1.9).sub_(0.9);
  }
}

void CheckFloatSupernet(const GoldenFile& file, const SupernetUnderTest& test,
                        Comparison& comparison) {
  const auto supernet = MakeSupernet(file, test);
  const base::TensorMap state = supernet->State();
  const auto parameters =
      PublishedParameters(base::ModuleState(supernet->network()), PublishedStyle::kPcDarts);
  CheckGenotype(file, state, comparison);
  int64_t count = 0;
  for (const auto& [name, parameter] : parameters) count += parameter.numel();
  comparison.Equal("out/param_count", count, file.Tensor("out/param_count").item<int64_t>());

  // Once in float64, once in float32.
  for (const bool wide : {true, false}) {
    const std::string out = wide ? "out64/" : "out/", grad = wide ? "grad64/" : "grad/";
    const auto tolerance = [&](const std::string& quantity) {
      return Tolerance(Noise(file, quantity, wide ? "f64_perturbed" : "f32_two_backends"), kStored);
    };
    supernet->To(wide ? at::kDouble : at::kFloat);
    supernet->network().train();
    for (const auto& [name, tensor] : state) {
      const c10::NoGradGuard no_grad;
      if (absl::EndsWith(name, "running_mean")) tensor.zero_();
      if (absl::EndsWith(name, "running_var")) tensor.fill_(1);
      if (tensor.grad().defined()) tensor.mutable_grad().reset();
    }
    const at::Tensor input = file.Tensor("input").to(wide ? at::kDouble : at::kFloat);
    const at::Tensor logits = supernet->Forward(input);
    const at::Tensor loss = nas::CrossEntropy(logits, file.Tensor("target"));
    comparison.Near(out + "logits", logits, file.Tensor(out + "logits"), tolerance("logits"));
    comparison.Near(out + "loss", loss, file.Tensor(out + "loss"), tolerance("loss"));
    loss.backward();
    for (const std::string name :
         {"alphas_normal", "alphas_reduce", "betas_normal", "betas_reduce"}) {
      const std::string key = grad + "arch/" + name;
      comparison.NearL2(
          key, state.at(name).grad(), file.Tensor(key),
          wide ? kStored : Tolerance(Noise(file, "grad/arch/" + name, "vs_f64"), kStored));
    }
    if (wide) {
      CheckGradientNorms(file, parameters, comparison);
    }
    if (IsImageNet(file)) MoveEdgeStatisticsAgain(state);
    if (!wide) {
      comparison.NearL2("buffer_after_running_flat", RunningStatistics(file, state),
                        file.Tensor("buffer_after_running_flat"), tolerance("logits"));
    }
    const c10::NoGradGuard no_grad;
    supernet->network().eval();
    comparison.Near(out + "eval_logits", supernet->Forward(input), file.Tensor(out + "eval_logits"),
                    tolerance("eval"));
  }
}

}  // namespace

std::unique_ptr<nas::Supernet> MakeSupernet(const GoldenFile& file, const SupernetUnderTest& test) {
  const bool imagenet = IsImageNet(file);
  auto created = nas::Supernet::Create(
      {.images = imagenet ? nas::ImageKind::kImageNet : nas::ImageKind::kCifar,
       .channels = file.Config("C"),
       .layers = file.Config("layers"),
       .classes = file.Config("num_classes"),
       .bits = file.entry.at("config").value("bits", std::vector<int64_t>{32}),
       .partial_channels = imagenet ? 2 : 4,
       .eight_bit = quant::EightBit::kPublishedSearch,
       .cost_model = test.published_cost_model});
  if (!created.ok()) throw std::invalid_argument(created.status().ToString());
  std::unique_ptr<nas::Supernet> supernet = *std::move(created);
  supernet->To(at::kDouble);
  SetWeights(file, PublishedParameters(base::ModuleState(supernet->network()), StyleOf(file)));
  base::TensorMap state = supernet->State();
  const c10::NoGradGuard no_grad;
  for (const std::string prefix : {"arch/", "gamma/"}) {
    for (const auto& [key, value] : file.tensors) {
      if (absl::StartsWith(key, prefix)) state.at(key.substr(prefix.size())).copy_(value);
    }
  }
  test.alter(supernet->network(), state);
  return supernet;
}

std::vector<Group> SupernetGroups(const SupernetUnderTest& test) {
  const auto with =
      [&test](void (*check)(const GoldenFile&, const SupernetUnderTest&, Comparison&)) -> Check {
    return [test, check](const GoldenFile& file, Comparison& comparison) {
      check(file, test, comparison);
    };
  };
  return {{"cell_.*\\.pt", with(CheckCell)},
          {"super_.*\\.pt", with(CheckSupernet)},
          {"pcdarts_super_.*\\.pt", with(CheckFloatSupernet)}};
}

}  // namespace golden
