#include "tests/golden/groups/precision_groups.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "ATen/TensorOperators.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/derived/precision_search_network.h"
#include "nas/learning/losses.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/weights/published_names.h"
#include "quant/bit_cost.h"
#include "tests/golden/frame/hash_init.h"
#include "tests/golden/frame/value_or_throw.h"
#include "tests/golden/groups/network_weights.h"

namespace golden {
namespace {

using nas::PublishedStyle;
using Parameters = std::map<std::string, at::Tensor>;

constexpr double kAuxiliaryWeight = 0.4;

// Everything is quantized there, stem and auxiliary head too.
nas::NetworkShape ShapeOf(const GoldenFile& file) {
  const bool imagenet = file.Config("net") == "imagenet";
  return {.images = imagenet ? nas::ImageKind::kImageNet : nas::ImageKind::kCifar,
          .image_side = file.Config("image"),
          .channels = file.Config("C"),
          .layers = file.Config("layers"),
          .classes = file.Config("num_classes"),
          .auxiliary = file.Config("auxiliary"),
          .quantize_stem = true};
}

std::shared_ptr<nas::DerivedNetwork> MakeNetwork(const GoldenFile& file) {
  nas::Architecture architecture = ValueOrThrow(nas::UniformArchitecture(
      ValueOrThrow(nas::ParseGenotype(file.Text("genotype"))), ShapeOf(file), nas::ConvBits{}));
  if (file.tensors.contains("abits_list")) {
    for (size_t i = 0; i < architecture.bits.size(); ++i) {
      architecture.bits[i] = {file.Tensor("abits_list")[i].item<int64_t>(),
                              file.Tensor("wbits_list")[i].item<int64_t>()};
    }
  }
  auto network = ValueOrThrow(nas::DerivedNetwork::Create(architecture));
  network->to(at::kDouble);
  return network;
}

at::Tensor Input(const GoldenFile& file) {
  if (file.tensors.contains("input")) return file.Tensor("input").to(at::kDouble);
  const int64_t side = file.Config("image");
  return HashInput("input", file.Tensor("hash_seed").item<int64_t>(),
                   {file.Config("batch").get<int64_t>(), 3, side, side})
      .to(at::kDouble);
}

// The logits of a forward in training, and the cross-entropy of both heads.
at::Tensor CheckForward(const GoldenFile& file, const nas::DerivedNetwork::Output& output,
                        Comparison& comparison) {
  const at::Tensor& target = file.Tensor("target");
  comparison.Near("out64/logits", output.logits, file.Tensor("out64/logits"),
                  Tolerance64(file, "logits"));
  comparison.Near("out64/aux_logits", output.auxiliary_logits, file.Tensor("out64/aux_logits"),
                  Tolerance64(file, "aux"));
  const at::Tensor loss = nas::CrossEntropy(output.logits, target) +
                          kAuxiliaryWeight * nas::CrossEntropy(output.auxiliary_logits, target);
  const std::string key = "out64/loss_ce_plus_0.4aux";
  comparison.Near(key, loss, file.Tensor(key), Tolerance64(file, "ce"));
  return loss;
}

// What the published convolutions note down at a forward of the whole network.
void CheckConvSizes(const GoldenFile& file, const nas::DerivedLayout& layout,
                    Comparison& comparison) {
  const quant::CostModel model = quant::CostModel::kPublished;
  const at::Tensor& products = file.Tensor("buffer_after_size_product_flat");
  const at::Tensor& memories = file.Tensor("buffer_after_memory_size_flat");
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    const nas::ConvSite& conv = layout.convs[i];
    comparison.Near(conv.name + " size_product", quant::Macs(conv.shape, model),
                    products[i].item<double>(), kStored);
    comparison.Near(conv.name + " memory_size", quant::Activations(conv.shape, model),
                    memories[i].item<double>(), kStored);
  }
}

// `sums`: BitOps, activation memory, weight memory.
void CheckSums(const std::string& what, const nas::DerivedLayout& layout,
               const std::vector<nas::ConvBits>& bits, const at::Tensor& sums,
               Comparison& comparison) {
  quant::ConvCost cost;
  for (size_t i = 0; i < bits.size(); ++i) {
    cost += quant::Cost(layout.convs[i].shape, bits[i].activation, bits[i].weight,
                        quant::CostModel::kPublished);
  }
  comparison.Near(what + " BitOps", cost.bit_ops, sums[0].item<double>(), kStored);
  comparison.Near(what + " activations", cost.activation_memory, sums[1].item<double>(), kStored);
  comparison.Near(what + " weights", cost.weight_memory, sums[2].item<double>(), kStored);
}

nas::DerivedLayout LayoutOf(const nas::DerivedNetwork& network) {
  return ValueOrThrow(
      nas::MakeDerivedLayout(network.architecture().genotype, network.architecture().network));
}

void CheckFixedBits(const GoldenFile& file, Comparison& comparison) {
  const auto network = MakeNetwork(file);
  const nas::DerivedLayout layout = LayoutOf(*network);
  const Parameters parameters =
      PublishedParameters(base::ModuleState(*network), PublishedStyle::kFbqat);
  SetWeights(file, parameters);

  // Sums of lattice values can cancel to exactly 0, up to the order of summation. Where they do so
  // in front of the head's last ReLU (ImageNet's has no batch normalization there), the gradients
  // behind it are decided by that order.
  bool cancels = false;
  network->convs().back()->set_output_tap([&cancels](const at::Tensor& y) {
    constexpr double kRounding = 1e-12;
    cancels = (y.abs() < kRounding).any().item<bool>();
    return y;
  });
  const at::Tensor input = Input(file);
  const at::Tensor loss = CheckForward(file, network->forward(input), comparison);
  network->convs().back()->set_output_tap({});
  CheckConvSizes(file, layout, comparison);
  CheckSums("out/info_after_train_forward", layout, network->architecture().bits,
            file.Tensor("out/info_after_train_forward"), comparison);
  loss.backward();
  const auto in_head = [](const std::string& name) {
    return absl::StartsWith(name, "auxiliary_head.features.");
  };
  CheckGradientNorms(cancels ? WithNoise(file, in_head, /*noise=*/1) : file, parameters,
                     comparison);

  const c10::NoGradGuard no_grad;
  network->eval();
  comparison.Near("out64/eval_logits", network->forward(input).logits,
                  file.Tensor("out64/eval_logits"), Tolerance64(file, "eval"));
}

// The logits over bits by their published names: rows of ours, with their gradients.
Parameters LogitRows(nas::PrecisionSearchNetwork& search) {
  Parameters rows;
  const auto names =
      nas::PublishedNames(base::ModuleState(search.network()), PublishedStyle::kQSubNet);
  const auto ours = search.logits().named_parameters();
  const std::map<std::string, std::string> children = {
      {"alpha_activ", ".mix_activ.alpha_activ"}, {"alpha_weight", ".mix_weight.alpha_weight"}};
  for (const auto& [parameter, child] : children) {
    for (size_t i = 0; i < search.layout().convs.size(); ++i) {
      const std::string weight = names.at(search.layout().convs[i].name + ".conv.weight");
      const std::string conv = weight.substr(0, weight.find(".mix_weight"));
      at::Tensor row = ours[parameter].detach()[i];
      if (ours[parameter].grad().defined()) row.mutable_grad() = ours[parameter].grad()[i];
      rows.emplace(conv + child, row);
    }
  }
  return rows;
}

void CheckChoices(const GoldenFile& file, const nas::PrecisionSearchNetwork& search,
                  Comparison& comparison) {
  const std::vector<int64_t> candidates = file.Config("bits");
  const std::vector<nas::ConvBits> choices = search.Choices();
  std::vector<nas::ConvBits> expected;
  for (size_t i = 0; i < choices.size(); ++i) {
    expected.push_back(
        {candidates.at(file.Tensor("out/best_activ_index_per_conv")[i].item<int64_t>()),
         candidates.at(file.Tensor("out/best_weight_index_per_conv")[i].item<int64_t>())});
  }
  comparison.Equal("out/best_*_index_per_conv", choices, expected);
  CheckSums("out/best_arch_sums", search.layout(), choices, file.Tensor("out/best_arch_sums"),
            comparison);
}

void CheckBitSearch(const GoldenFile& file, Comparison& comparison) {
  nas::PrecisionSearchNetwork search(MakeNetwork(file),
                                     nas::BitCandidates::Both(file.Config("bits")),
                                     quant::CostModel::kPublished);
  Parameters parameters =
      PublishedParameters(base::ModuleState(search.network()), PublishedStyle::kQSubNet);
  SetWeights(file, parameters);
  for (const auto& [name, row] : LogitRows(search)) row.copy_(file.Tensor("param/" + name));

  const at::Tensor input = Input(file);
  const at::Tensor loss = CheckForward(file, search.Forward(input), comparison);
  const at::Tensor complexity = search.Complexity();
  const at::Tensor total = loss + complexity * ComplexityDecay(file);
  comparison.Near("out64/complexity_loss", complexity, file.Tensor("out64/complexity_loss"),
                  kStored);
  comparison.Near("out64/total", total, file.Tensor("out64/total"), Tolerance64(file, "ce"));
  CheckConvSizes(file, search.layout(), comparison);
  CheckChoices(file, search, comparison);

  total.backward();
  const Parameters logit_rows = LogitRows(search);
  parameters.insert(logit_rows.begin(), logit_rows.end());
  // Their complexity is of multiplications rounded to float32, 6e-8 of a term, which the loss
  // cancels but for a thirtieth of some logits.
  const GoldenFile noisy = WithNoise(
      file, [&](const std::string& name) { return logit_rows.contains(name); }, /*noise=*/3e-7);
  CheckGradientNorms(noisy, parameters, comparison);
  const std::vector<std::string> names = Lines(file, "grad_names");
  for (size_t i = 0; i < names.size(); ++i) {
    const auto expected = file.tensors.find("grad64/" + names[i]);
    if (expected == file.tensors.end()) continue;
    comparison.NearL2(expected->first, parameters.at(names[i]).grad(), expected->second,
                      Tolerance(noisy.Tensor("gradnoise64")[i].item<double>(), kStored));
  }

  const c10::NoGradGuard no_grad;
  search.network().eval();
  comparison.Near("out64/eval_logits", search.Forward(input).logits,
                  file.Tensor("out64/eval_logits"), Tolerance64(file, "eval"));
}

}  // namespace

std::vector<Group> PrecisionGroups() {
  return {{"(fbqat|qsubnet_derived)_.*\\.pt", CheckFixedBits},
          {"qsubnet_(cifar|imagenet)_.*\\.pt", CheckBitSearch}};
}

}  // namespace golden
