#include "tests/golden/groups/derived_groups.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/cat.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_cell.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/losses.h"
#include "nas/operations/drop_path.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/weights/published_names.h"
#include "tests/golden/frame/hash_init.h"
#include "tests/golden/frame/value_or_throw.h"
#include "tests/golden/groups/network_weights.h"
#include "tests/golden/groups/published_sums.h"
#include "torch/nn/modules/container/sequential.h"

namespace golden {
namespace {

using nas::PublishedStyle;

// Golden values are stored in float32: sizes to the last bit or two, other values with this floor.
constexpr double kOneUlp = 2.4e-7;
// The weight of the auxiliary loss in the published training.
constexpr double kAuxiliaryWeight = 0.4;

bool IsPcDarts(const GoldenFile& file) { return absl::StartsWith(file.name, "pcdarts"); }

PublishedStyle StyleOf(const GoldenFile& file) {
  return IsPcDarts(file) ? PublishedStyle::kPcDarts : PublishedStyle::kQdartsDerived;
}

nas::Architecture ArchitectureOf(const GoldenFile& file, const DerivedUnderTest& test) {
  nas::Architecture architecture;
  architecture.genotype = ValueOrThrow(nas::ParseGenotype(file.Text("genotype")));
  const bool imagenet = absl::StrContains(file.Text("grad_names"), "stem0.");
  architecture.network = {
      .images = imagenet ? nas::ImageKind::kImageNet : nas::ImageKind::kCifar,
      .image_side = file.Config("image"),
      .channels = file.Config("C"),
      .layers = file.Config("layers"),
      .classes = file.Config("num_classes"),
      .auxiliary = absl::StrContains(file.Text("grad_names"), "auxiliary_head.")};
  const nas::DerivedLayout layout =
      ValueOrThrow(nas::MakeDerivedLayout(architecture.genotype, architecture.network));
  if (IsPcDarts(file)) {
    architecture.bits.resize(layout.convs.size());
  } else {
    base::TensorMap gammas = Gammas(file.tensors);
    test.alter_gammas(gammas);
    architecture.bits = PublishedBits(gammas, layout);
  }
  return architecture;
}

at::Tensor Input(const GoldenFile& file, Comparison& comparison) {
  if (file.tensors.contains("input")) return file.Tensor("input");
  const int64_t side = file.Config("image");
  const at::Tensor input = HashInput("input", file.Tensor("hash_seed").item<int64_t>(),
                                     {file.Config("batch").get<int64_t>(), 3, side, side});
  const at::Tensor& first = file.Tensor("input_first_values");
  comparison.Near("input_first_values", input.flatten().slice(0, 0, first.numel()), first, 0);
  return input;
}

// Lines "cells.0._ops.0.conv1 a4 w2 stride1 …".
void CheckBits(const GoldenFile& file, const nas::DerivedLayout& layout,
               const std::vector<nas::ConvBits>& bits, Comparison& comparison) {
  std::vector<std::string> expected, actual;
  for (const std::string& line : Lines(file, "out/bit_assignment")) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    expected.push_back(absl::StrCat(words.at(0), " ", words.at(1), " ", words.at(2)));
  }
  for (size_t i = 0; i < bits.size(); ++i) {
    actual.push_back(
        absl::StrCat(layout.convs[i].name, " a", bits[i].activation, " w", bits[i].weight));
  }
  comparison.Equal("out/bit_assignment", actual, expected);
}

// What the published convolutions note down at a forward of the whole network.
void CheckConvSizes(const GoldenFile& file, const nas::DerivedLayout& layout,
                    quant::CostModel model, Comparison& comparison) {
  std::map<std::string, quant::ConvShape> shapes;
  for (const nas::ConvSite& conv : layout.convs) shapes[conv.name] = conv.shape;
  for (const nas::FloatConvSite& conv : layout.float_convs) shapes[conv.name] = conv.shape;
  for (const std::string quantity : {"size_product", "memory_size"}) {
    const std::string prefix = absl::StrCat("buffer_after_", quantity);
    const std::vector<std::string> names = Lines(file, prefix + "_names");
    for (size_t i = 0; i < names.size(); ++i) {
      const quant::ConvShape& shape = shapes.at(names[i].substr(0, names[i].find("." + quantity)));
      comparison.Near(
          names[i],
          quantity == "size_product" ? quant::Macs(shape, model) : quant::Activations(shape, model),
          file.Tensor(prefix + "_flat")[i].item<double>(), kOneUlp);
    }
  }
}

void CheckSums(const GoldenFile& file, const std::string& key, const quant::ConvCost& sums,
               Comparison& comparison) {
  const at::Tensor& expected = file.Tensor(key);
  comparison.Near(key + " BitOps", sums.bit_ops, expected[0].item<double>(), kStored);
  comparison.Near(key + " activations", sums.activation_memory, expected[1].item<double>(),
                  kStored);
  comparison.Near(key + " weights", sums.weight_memory, expected[2].item<double>(), kStored);
}

void CheckCost(const GoldenFile& file, const nas::Architecture& architecture,
               const nas::DerivedLayout& layout, quant::CostModel model, Comparison& comparison) {
  CheckBits(file, layout, architecture.bits, comparison);
  CheckConvSizes(file, layout, model, comparison);
  for (const bool head_ran : {false, true}) {
    CheckSums(
        file, head_ran ? "out/info_train" : "out/info_eval",
        PublishedSums(layout, architecture.network.images, architecture.bits, head_ran, model),
        comparison);
  }
}

// Full gradients of a float32 run. Their noise is that between two backends in float32.
void CheckFloatGradients(const GoldenFile& file,
                         const std::map<std::string, at::Tensor>& parameters,
                         Comparison& comparison) {
  const std::vector<std::string> names = Lines(file, "grad_names");
  for (size_t i = 0; i < names.size(); ++i) {
    const auto expected = file.tensors.find("grad/" + names[i]);
    if (expected == file.tensors.end()) continue;
    const double noise = std::max(file.Tensor("gradnoise")[i].item<double>(),
                                  file.Tensor("gradnoise64")[i].item<double>());
    comparison.NearL2(expected->first, parameters.at(names[i]).grad(), expected->second,
                      Tolerance(noise, 1e-5));
  }
}

// The statistics of a float32 run, hence with the noise of its logits.
void CheckRunningStatistics(const GoldenFile& file, const base::TensorMap& state,
                            Comparison& comparison) {
  std::map<std::string, at::Tensor> by_published;
  for (const auto& [ours, published] : nas::PublishedNames(state, StyleOf(file))) {
    by_published[published] = state.at(ours);
  }
  std::vector<at::Tensor> flat;
  for (const std::string& line : Lines(file, "buffer_after_running_names")) {
    flat.push_back(by_published.at(line.substr(0, line.find(' '))).flatten());
  }
  const double noise = file.entry.at("tolerance").at("logits").at("f32_vs_f64");
  comparison.NearL2("buffer_after_running_flat", at::cat(flat),
                    file.Tensor("buffer_after_running_flat"), Tolerance(noise, kStored));
}

std::shared_ptr<nas::DerivedNetwork> MakeNetwork(const GoldenFile& file,
                                                 const nas::Architecture& architecture,
                                                 const DerivedUnderTest& test) {
  auto network = ValueOrThrow(nas::DerivedNetwork::Create(architecture));
  network->to(at::kDouble);
  SetWeights(file, PublishedParameters(base::ModuleState(*network), StyleOf(file)));
  test.alter(*network);
  return network;
}

// The norm of every cell's output in training, which is well conditioned where the logits are not.
void CheckCellNorms(const GoldenFile& file, nas::DerivedNetwork& network, const at::Tensor& input,
                    const nas::DropPath& drop_path, Comparison& comparison) {
  if (!file.tensors.contains("out64/cell_norms")) return;
  const c10::NoGradGuard no_grad;
  const auto modules = network.named_modules();
  const auto stem = [&modules](const std::string& name, const at::Tensor& x) {
    return modules[name]->as<torch::nn::SequentialImpl>()->forward(x);
  };
  const bool imagenet = modules.contains("stem0");
  std::vector<at::Tensor> s0 = {stem(imagenet ? "stem0" : "stem", input)};
  std::vector<at::Tensor> s1 = {imagenet ? stem("stem1", s0[0]) : s0[0]};
  int64_t site = 0;
  const std::vector<double> noise = file.entry.at("tolerance").at("cell_norm_rel_f32_vs_f64");
  for (size_t i = 0; i < noise.size(); ++i) {
    auto* cell = modules[absl::StrCat("cells.", i)]->as<nas::DerivedCell>();
    s0 = std::exchange(s1, cell->forward(s0, s1, drop_path, site, nas::Implementation::kFused));
    site += cell->num_drop_path_sites();
    comparison.Near(absl::StrCat("out64/cell_norms ", i), at::cat(s1, 1).norm().item<double>(),
                    file.Tensor("out64/cell_norms")[i].item<double>(),
                    Tolerance(noise[i], kStored));
  }
}

void CheckDerived(const GoldenFile& file, const DerivedUnderTest& test, Comparison& comparison) {
  const nas::Architecture architecture = ArchitectureOf(file, test);
  const nas::DerivedLayout layout =
      ValueOrThrow(nas::MakeDerivedLayout(architecture.genotype, architecture.network));
  comparison.Equal("out/param_count_without_aux", layout.num_parameters,
                   file.Tensor("out/param_count_without_aux").item<int64_t>());
  comparison.Equal("out/param_count", layout.num_parameters + layout.num_auxiliary_parameters,
                   file.Tensor("out/param_count").item<int64_t>());
  if (!IsPcDarts(file)) {
    CheckCost(file, architecture, layout, test.published_cost_model, comparison);
  }

  nas::DropPath drop_path;
  if (file.tensors.contains("drop_masks")) {
    drop_path = {.probability = file.Config("drop_path_prob"), .masks = file.Tensor("drop_masks")};
  }
  const at::Tensor input = Input(file, comparison).to(at::kDouble);
  CheckCellNorms(file, *MakeNetwork(file, architecture, test), input, drop_path, comparison);

  const auto network = MakeNetwork(file, architecture, test);
  const base::TensorMap state = base::ModuleState(*network);
  const auto parameters = PublishedParameters(state, StyleOf(file));
  const at::Tensor& target = file.Tensor("target");
  const auto [logits, auxiliary_logits] = network->forward(input, drop_path);
  const at::Tensor loss = nas::CrossEntropy(logits, target) +
                          kAuxiliaryWeight * nas::CrossEntropy(auxiliary_logits, target);
  comparison.Near("out64/logits", logits, file.Tensor("out64/logits"), Tolerance64(file, "logits"));
  comparison.Near("out64/aux_logits", auxiliary_logits, file.Tensor("out64/aux_logits"),
                  Tolerance64(file, "aux"));
  comparison.Near("out64/loss", loss, file.Tensor("out64/loss"), Tolerance64(file, "loss"));
  CheckRunningStatistics(file, state, comparison);

  loss.backward();
  CheckGradientNorms(file, parameters, comparison);
  CheckFloatGradients(file, parameters, comparison);

  const c10::NoGradGuard no_grad;
  network->eval();
  comparison.Near("out64/eval_logits", network->forward(input).logits,
                  file.Tensor("out64/eval_logits"), Tolerance64(file, "eval"));
}

}  // namespace

std::vector<Group> DerivedGroups(const DerivedUnderTest& test) {
  return {
      {"(derived|pcdarts_derived)_.*\\.pt", [test](const GoldenFile& file, Comparison& comparison) {
         CheckDerived(file, test, comparison);
       }}};
}

}  // namespace golden
