#include "tests/golden/groups/fixed_network_groups.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/zeros.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/fixed_network.h"
#include "nas/derived/precision_search_network.h"
#include "nas/learning/losses.h"
#include "nas/networks/fixed_networks.h"
#include "nas/networks/network_layout.h"
#include "nas/weights/published_names.h"
#include "nlohmann/json.hpp"
#include "quant/precision_conv.h"
#include "tests/golden/frame/hash_init.h"
#include "tests/golden/frame/value_or_throw.h"
#include "tests/golden/groups/network_weights.h"

namespace golden {
namespace {

using nas::ConvBits;
using nas::FixedNetwork;
using nas::PublishedStyle;
using nlohmann::json;
using Parameters = std::map<std::string, at::Tensor>;

at::Tensor Input(const GoldenFile& file) {
  const int64_t side = file.Config("image");
  return HashInput("input", file.Tensor("hash_seed").item<int64_t>(),
                   {file.Config("batch").get<int64_t>(), 3, side, side})
      .to(at::kDouble);
}

// In float64, in training.
std::shared_ptr<FixedNetwork> MakeNetwork(const std::string& name, const GoldenFile& file,
                                          bool auxiliary, const FixedNetworkUnderTest& test) {
  const int64_t classes = file.Config("num_classes");
  nas::Architecture architecture =
      ValueOrThrow(nas::FixedArchitecture(name, file.Config("image"), classes, ConvBits{}));
  if (file.tensors.contains("abits_list")) {
    for (size_t i = 0; i < architecture.bits.size(); ++i) {
      architecture.bits[i] = {file.Tensor("abits_list")[i].item<int64_t>(),
                              file.Tensor("wbits_list")[i].item<int64_t>()};
    }
  }
  nas::NetworkGraph graph = ValueOrThrow(nas::FixedNetworkGraph(name, classes, auxiliary));
  test.alter(graph);
  auto network = std::make_shared<FixedNetwork>(architecture, std::move(graph));
  network->to(at::kDouble);
  return network;
}

// "P.mix_activ.alpha_activ" and "P.mix_weight.alpha_weight" of every convolution P: rows of ours,
// with their gradients.
Parameters AlphaRows(const nas::PrecisionSearchNetwork& search) {
  Parameters rows;
  const auto ours = search.logits().named_parameters();
  for (const auto& [parameter, child] :
       {std::pair{"alpha_activ", ".mix_activ."}, {"alpha_weight", ".mix_weight."}}) {
    for (size_t i = 0; i < search.layout().convs.size(); ++i) {
      at::Tensor row = ours[parameter].detach()[i];
      if (ours[parameter].grad().defined()) row.mutable_grad() = ours[parameter].grad()[i];
      rows.emplace(absl::StrCat(search.layout().convs[i].name, child, parameter), row);
    }
  }
  return rows;
}

// What a forward puts out on the way: the norm of every block's and every quantized convolution's.
class Norms {
 public:
  Norms(FixedNetwork& network, const std::vector<std::string>& blocks) : network_(network) {
    network.set_observer([this, blocks](const nas::Node& node, const at::Tensor& y) {
      for (const std::string& block : blocks) {
        // The last of a block is its output.
        if (node.path == block || absl::StartsWith(node.path, block + ".")) {
          blocks_[block] = y.detach().norm();
        }
      }
    });
    for (quant::PrecisionConv2dImpl* conv : network.convs()) {
      conv->set_output_tap([this](const at::Tensor& y) {
        convs_.push_back(y.detach().norm());
        return y;
      });
    }
  }
  ~Norms() {
    network_.set_observer(nullptr);
    for (quant::PrecisionConv2dImpl* conv : network_.convs()) conv->set_output_tap({});
  }

  void Check(const GoldenFile& file, Comparison& comparison) const {
    std::vector<at::Tensor> blocks;
    for (const std::string& block : Lines(file, "block_names")) blocks.push_back(blocks_.at(block));
    comparison.Near("out64/block_norms", at::stack(blocks), file.Tensor("out64/block_norms"),
                    Tolerance64(file, "block_norms"));
    comparison.Near("out64/conv_norms", at::stack(convs_), file.Tensor("out64/conv_norms"),
                    Tolerance64(file, "conv_norms"));
  }

 private:
  FixedNetwork& network_;
  std::map<std::string, at::Tensor> blocks_;
  std::vector<at::Tensor> convs_;
};

// Names and order of parameters, quantized convolutions and others, and what they cost.
void CheckStructure(const GoldenFile& file, const FixedNetwork& network,
                    const nas::DerivedLayout& layout, PublishedStyle style, quant::CostModel model,
                    Comparison& comparison) {
  const auto published = nas::PublishedNames(base::ModuleState(network), style);
  std::vector<std::string> names, expected;
  for (const auto& parameter : network.named_parameters()) {
    names.push_back(published.at(parameter.key()));
  }
  for (const std::string& name : Lines(file, "grad_names")) {
    if (!nas::IsQSubNetAlpha(name)) expected.push_back(name);
  }
  comparison.Equal("names of parameters in order", names, expected);

  std::vector<std::string> convs, float_convs;
  for (const nas::ConvSite& conv : layout.convs) convs.push_back(conv.name);
  for (const nas::FloatConvSite& conv : layout.float_convs) {
    if (conv.name != nas::kFixedClassifier) float_convs.push_back(conv.name);
  }
  comparison.Equal("out/quantized_convs_in_order", convs,
                   Lines(file, "out/quantized_convs_in_order"));
  comparison.Equal("out/float_convs_left", float_convs, Lines(file, "out/float_convs_left"));
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    const nas::ConvSite& conv = layout.convs[i];
    comparison.Equal(conv.name + " as it ran", network.convs()[i]->shape(), conv.shape);
    comparison.Near(conv.name + " size_product", quant::Macs(conv.shape, model),
                    file.Tensor("buffer_after_size_product_flat")[i].item<double>(), kStored);
    comparison.Near(conv.name + " memory_size", quant::Activations(conv.shape, model),
                    file.Tensor("buffer_after_memory_size_flat")[i].item<double>(), kStored);
  }
}

// Running statistics after the forward in training: values, or the norm of each.
void CheckStatistics(const GoldenFile& file, const FixedNetwork& network, Comparison& comparison) {
  const auto buffers = network.named_buffers();
  const bool flat = file.tensors.contains("buffer_after_running_flat");
  int64_t first = 0, index = 0;
  for (const std::string& line : Lines(file, "buffer_after_running_names")) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    const at::Tensor& ours = buffers[parts.at(0)];
    const double tolerance = Tolerance64(file, "running");
    if (flat) {
      const at::Tensor& all = file.Tensor("buffer_after_running_flat");
      comparison.Near(parts[0], ours, all.slice(0, first, first + ours.numel()), tolerance);
      first += ours.numel();
    } else {
      comparison.Near(parts[0], ours.norm().item<double>(),
                      file.Tensor("buffer_after_running_norms")[index++].item<double>(), tolerance);
    }
  }
}

// BitOps, activation memory, weight memory.
std::vector<double> PublishedSums(const nas::NetworkLayout& layout,
                                  const std::vector<double>& abits,
                                  const std::vector<double>& wbits, quant::CostModel model) {
  quant::ConvCost sums;
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    sums += quant::Cost(layout.convs[i].shape, abits.at(i), wbits.at(i), model);
  }
  return {sums.bit_ops, sums.activation_memory, sums.weight_memory};
}

std::vector<double> PublishedSums(const nas::NetworkLayout& layout,
                                  const std::vector<ConvBits>& bits, quant::CostModel model) {
  std::vector<double> abits, wbits;
  for (const ConvBits& conv : bits) {
    abits.push_back(conv.activation);
    wbits.push_back(conv.weight);
  }
  return PublishedSums(layout, abits, wbits, model);
}

void CheckSums(const std::string& what, const std::vector<double>& sums, const at::Tensor& expected,
               Comparison& comparison) {
  for (size_t i = 0; i < sums.size(); ++i) {
    comparison.Near(absl::StrCat(what, " ", i), sums[i], expected[i].item<double>(), kStored);
  }
}

void CheckEvaluation(const GoldenFile& file, FixedNetwork& network, const std::string& key,
                     double tolerance, Comparison& comparison) {
  const c10::NoGradGuard no_grad;
  network.eval();
  comparison.Near(key, network.forward(Input(file)).logits, file.Tensor(key), tolerance);
  network.train();
}

void CheckDerived(const GoldenFile& file, const FixedNetworkUnderTest& test,
                  Comparison& comparison) {
  const auto network = MakeNetwork(absl::StrCat("edmips_", file.Config("net").get<std::string>()),
                                   file, false, test);
  const nas::DerivedLayout layout = ValueOrThrow(nas::LayoutOf(network->architecture()));
  const Parameters parameters =
      PublishedParameters(base::ModuleState(*network), PublishedStyle::kEdmips);
  SetWeights(file, parameters);
  at::Tensor loss;
  {
    const Norms norms(*network, Lines(file, "block_names"));
    const at::Tensor logits = network->forward(Input(file)).logits;
    norms.Check(file, comparison);
    comparison.Near("out64/logits", logits, file.Tensor("out64/logits"),
                    Tolerance64(file, "logits"));
    loss = nas::CrossEntropy(logits, file.Tensor("target"));
  }
  comparison.Near("out64/loss_ce", loss, file.Tensor("out64/loss_ce"), Tolerance64(file, "ce"));
  CheckStructure(file, *network, layout, PublishedStyle::kEdmips, test.published_cost_model,
                 comparison);
  comparison.Equal("out/param_count", layout.num_parameters,
                   file.Tensor("out/param_count").item<int64_t>());
  CheckSums("out/info_after_train_forward",
            PublishedSums(layout, network->architecture().bits, test.published_cost_model),
            file.Tensor("out/info_after_train_forward"), comparison);
  CheckStatistics(file, *network, comparison);
  loss.backward();
  CheckGradientNorms(file, parameters, comparison);
  CheckEvaluation(file, *network, "out64/eval_logits", Tolerance64(file, "eval"), comparison);
}

void CheckSearch(const GoldenFile& file, const FixedNetworkUnderTest& test,
                 Comparison& comparison) {
  const auto network = MakeNetwork(absl::StrCat("edmips_", file.Config("net").get<std::string>()),
                                   file, false, test);
  const nas::BitCandidates bits = {.activation = file.Config("bits_activation"),
                                   .weight = file.Config("bits_weight")};
  nas::PrecisionSearchNetwork search(network, bits, test.published_cost_model);
  Parameters parameters =
      PublishedParameters(base::ModuleState(*network), PublishedStyle::kEdmipsSearch);
  SetWeights(file, parameters);
  for (const auto& [name, row] : AlphaRows(search)) {
    const at::Tensor& expected = file.Tensor("param/" + name);
    if (file.Config("alphas") == "0.01") comparison.Near(name + " at first", row, expected, 1e-7);
    row.copy_(expected);
  }

  at::Tensor loss;
  {
    const Norms norms(*network, Lines(file, "block_names"));
    const at::Tensor logits = search.Forward(Input(file)).logits;
    norms.Check(file, comparison);
    comparison.Near("out64/logits", logits, file.Tensor("out64/logits"),
                    Tolerance64(file, "logits"));
    loss = nas::CrossEntropy(logits, file.Tensor("target"));
  }
  comparison.Near("out64/loss_ce", loss, file.Tensor("out64/loss_ce"), Tolerance64(file, "ce"));
  const at::Tensor complexity = search.Complexity();
  comparison.Near("out64/complexity_loss", complexity, file.Tensor("out64/complexity_loss"),
                  Tolerance64(file, "complexity"));
  const at::Tensor total = loss + complexity * ComplexityDecay(file);
  comparison.Near("out64/total", total, file.Tensor("out64/total"), Tolerance64(file, "total"));
  CheckStructure(file, *network, search.layout(), PublishedStyle::kEdmipsSearch,
                 test.published_cost_model, comparison);
  CheckStatistics(file, *network, comparison);

  const std::vector<ConvBits> choices = search.Choices();
  std::vector<ConvBits> expected;
  for (size_t i = 0; i < choices.size(); ++i) {
    expected.push_back(
        {bits.activation.at(file.Tensor("out/best_activ_index_per_conv")[i].item<int64_t>()),
         bits.weight.at(file.Tensor("out/best_weight_index_per_conv")[i].item<int64_t>())});
  }
  comparison.Equal("out/best_*_index_per_conv", choices, expected);
  CheckSums("out/best_arch_sums",
            PublishedSums(search.layout(), choices, test.published_cost_model),
            file.Tensor("out/best_arch_sums"), comparison);

  complexity.backward({}, /*retain_graph=*/true);
  const Parameters complexity_rows = AlphaRows(search);
  int64_t first = 0;
  for (const std::string& line : Lines(file, "complexity_grad64_names")) {
    const std::string name = line.substr(0, line.find(' '));
    const at::Tensor& gradient = complexity_rows.at(name).grad();
    comparison.NearL2(
        "complexity_grad64 " + name, gradient,
        file.Tensor("complexity_grad64_flat").slice(0, first, first + gradient.numel()),
        Tolerance64(file, "complexity_grad"));
    first += gradient.numel();
  }
  search.logits().zero_grad();
  total.backward();
  const Parameters rows = AlphaRows(search);
  parameters.insert(rows.begin(), rows.end());
  CheckGradientNorms(file, parameters, comparison);
  const std::vector<std::string> names = Lines(file, "grad_names");
  for (size_t i = 0; i < names.size(); ++i) {
    const auto gradient = file.tensors.find("grad64/" + names[i]);
    if (gradient == file.tensors.end()) continue;
    comparison.NearL2(gradient->first, parameters.at(names[i]).grad(), gradient->second,
                      Tolerance(file.Tensor("gradnoise64")[i].item<double>(), kStored));
  }
  const c10::NoGradGuard no_grad;
  network->eval();
  comparison.Near("out64/eval_logits", search.Forward(Input(file)).logits,
                  file.Tensor("out64/eval_logits"), Tolerance64(file, "eval"));
}

// The total is the cross-entropy and 0.3 times those of auxiliary heads.
void CheckTorchvision(GoldenFile file, const FixedNetworkUnderTest& test, Comparison& comparison) {
  constexpr double kAuxiliaryWeight = 0.3;
  const double tolerance = Tolerance64(file, "logits");
  const auto network =
      MakeNetwork(file.Config("network").get<std::string>(), file, file.Config("aux_logits"), test);
  const Parameters parameters =
      PublishedParameters(base::ModuleState(*network), PublishedStyle::kTorchvision);
  SetWeights(file, parameters);
  std::vector<std::string> names;
  int64_t count = 0;
  const auto published =
      nas::PublishedNames(base::ModuleState(*network), PublishedStyle::kTorchvision);
  for (const auto& parameter : network->named_parameters()) {
    names.push_back(published.at(parameter.key()));
    count += parameter.value().numel();
  }
  comparison.Equal("names of parameters in order", names, Lines(file, "grad_names"));
  comparison.Equal("parameters", count, file.Config("parameters").get<int64_t>());
  const nas::Architecture thousand = ValueOrThrow(
      nas::FixedArchitecture(network->architecture().fixed_network, 299, 1000, ConvBits{}));
  comparison.Equal("parameters_1000_classes_no_aux",
                   ValueOrThrow(nas::LayoutOf(thousand)).num_parameters,
                   file.Config("parameters_1000_classes_no_aux").get<int64_t>());

  CheckEvaluation(file, *network, "out64/eval_logits_initial", tolerance, comparison);
  const std::vector<at::Tensor> outputs = network->Outputs(Input(file));
  const at::Tensor& target = file.Tensor("target");
  comparison.Near("out64/logits", outputs[0], file.Tensor("out64/logits"), tolerance);
  const at::Tensor loss = nas::CrossEntropy(outputs[0], target);
  comparison.Near("out64/ce", loss, file.Tensor("out64/ce"), tolerance);
  at::Tensor total = loss;
  for (size_t i = 1; i < outputs.size(); ++i) {
    const std::string key = absl::StrCat("out64/aux", i - 1);
    comparison.Near(key, outputs[i], file.Tensor(key), tolerance);
    total = total + kAuxiliaryWeight * nas::CrossEntropy(outputs[i], target);
  }
  comparison.Near("out64/total", total, file.Tensor("out64/total"), tolerance);
  total.backward();
  // No noise was measured: there is none in float64 without quantizers.
  file.tensors["gradnoise64"] = at::zeros(file.Tensor("gradnorm64").sizes(), at::kDouble);
  CheckGradientNorms(file, parameters, comparison);
  CheckEvaluation(file, *network, "out64/eval_logits", tolerance, comparison);
}

void CheckSumsOf(const std::string& what, const std::vector<double>& sums, const json& row,
                 Comparison& comparison) {
  comparison.Near(what + "/bitops_M", sums[0], row.at("bitops_M"), kStored);
  comparison.Near(what + "/bita_K", sums[1], row.at("bita_K"), kStored);
  comparison.Near(what + "/bitw_M", sums[2], row.at("bitw_M"), kStored);
}

// "uniform_4w4a" has no lists.
std::vector<double> ListOrUniform(const json& row, const char* list, const std::string& name,
                                  size_t size) {
  if (row.contains(list)) return row.at(list);
  return std::vector<double>(size, absl::StrContains(name, "2w2a") ? 2 : 4);
}

void CheckNumbers(const GoldenFile& file, const FixedNetworkUnderTest& test,
                  Comparison& comparison) {
  const quant::CostModel model = test.published_cost_model;
  for (const auto& [net, row] : file.table.at("table").items()) {
    const nas::Architecture architecture = ValueOrThrow(nas::FixedArchitecture(
        "edmips_" + net, row.at("image"), row.at("num_classes"), ConvBits{}));
    const nas::DerivedLayout layout = ValueOrThrow(nas::LayoutOf(architecture));
    comparison.Equal(net + "/n_quantized_convs", layout.convs.size(),
                     row.at("n_quantized_convs").get<size_t>());
    comparison.Equal(net + "/param_count_search_without_alphas", layout.num_parameters,
                     row.at("param_count_search_without_alphas").get<int64_t>());
    double exact = 0;
    for (size_t i = 0; i < layout.convs.size(); ++i) {
      const nas::ConvSite& conv = layout.convs[i];
      const json& expected = row.at("convs").at(i);
      comparison.Equal(net + "/convs", conv.name, expected.at("name").get<std::string>());
      const double macs = quant::Macs(conv.shape, quant::CostModel::kExact);
      comparison.Equal(conv.name + "/exact_macs", macs, expected.at("exact_macs").get<double>());
      comparison.Near(conv.name + "/size_product_M", quant::Macs(conv.shape, model),
                      expected.at("size_product_M"), kStored);
      comparison.Near(conv.name + "/memory_size_K", quant::Activations(conv.shape, model),
                      expected.at("memory_size_K"), kStored);
      comparison.Near(conv.name + "/param_size_M", quant::Parameters(conv.shape, model),
                      expected.at("param_size_M"), kStored);
      exact += macs;
    }
    comparison.Equal(net + "/sum_exact_macs", exact, row.at("sum_exact_macs").get<double>());
    const std::vector<double> ones(layout.convs.size(), 1);
    const std::vector<double> units = PublishedSums(layout, ones, ones, model);
    for (const auto& [name, derived] : row.at("derived").items()) {
      const std::vector<double> sums =
          PublishedSums(layout, ListOrUniform(derived, "abits", name, ones.size()),
                        ListOrUniform(derived, "wbits", name, ones.size()), model);
      CheckSumsOf(absl::StrCat(net, "/", name), sums, derived, comparison);
      comparison.Near(absl::StrCat(net, "/", name, "/bit_normalized"),
                      std::sqrt(sums[0] / units[0]), derived.at("bit_normalized"), kStored);
    }
    for (const auto& [name, search] : row.at("search").items()) {
      std::vector<double> abits, wbits;
      for (const int index : search.at("best_activ_index")) abits.push_back(2 + index);
      for (const int index : search.at("best_weight_index")) wbits.push_back(1 + index);
      CheckSumsOf(absl::StrCat(net, "/", name), PublishedSums(layout, abits, wbits, model), search,
                  comparison);
    }
  }
}

}  // namespace

std::vector<Group> FixedNetworkGroups(const FixedNetworkUnderTest& test) {
  const auto with =
      [&test](void (*check)(const GoldenFile&, const FixedNetworkUnderTest&, Comparison&)) {
        return [test, check](const GoldenFile& file, Comparison& comparison) {
          check(file, test, comparison);
        };
      };
  return {{"edmips_search_.*\\.pt", with(CheckSearch)},
          {"edmips_derived_.*\\.pt", with(CheckDerived)},
          {"edmips_numbers\\.json", with(CheckNumbers)},
          {"torchvision_.*\\.pt", [test](const GoldenFile& file, Comparison& comparison) {
             CheckTorchvision(file, test, comparison);
           }}};
}

}  // namespace golden
