#include "tests/golden/groups/number_groups.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/tensor_file.h"
#include "nas/derivation/gamma_choices.h"
#include "nas/derived/derived_layout.h"
#include "nas/operations/stem.h"
#include "nas/space/cell_topology.h"
#include "nas/space/image_kind.h"
#include "nas/space/published_genotypes.h"
#include "nas/supernet/supernet_cell.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"
#include "tests/golden/frame/value_or_throw.h"
#include "tests/golden/groups/published_sums.h"
#include "torch/nn/module.h"

namespace golden {
namespace {

using nas::ImageKind;
using nlohmann::json;

// The sums of float32 numbers.

// The sizes that every table is about.
nas::NetworkShape TableShape(const std::string& images) {
  const ImageKind kind = ValueOrThrow(nas::ParseImageKind(images));
  if (kind == ImageKind::kCifar) return {.auxiliary = true};
  return {.images = kind,
          .image_side = 224,
          .channels = 48,
          .layers = 14,
          .classes = 1000,
          .auxiliary = true};
}

nas::DerivedLayout TableLayout(const std::string& images, const std::string& genotype) {
  return ValueOrThrow(
      nas::MakeDerivedLayout(ValueOrThrow(nas::PublishedGenotype(genotype)), TableShape(images)));
}

void CheckParameters(const std::string& what, const nas::DerivedLayout& layout, const json& row,
                     Comparison& comparison) {
  comparison.Equal(what + "/params_without_aux", layout.num_parameters,
                   row.at("params_without_aux").get<int64_t>());
  comparison.Equal(what + "/params", layout.num_parameters + layout.num_auxiliary_parameters,
                   row.at("params").get<int64_t>());
}

void CheckSums(const std::string& what, const quant::ConvCost& sums, const json& row,
               Comparison& comparison) {
  comparison.Near(what + "/sum_bitops", sums.bit_ops, row.at("sum_bitops"), kStored);
  comparison.Near(what + "/sum_bita", sums.activation_memory, row.at("sum_bita"), kStored);
  comparison.Near(what + "/sum_bitw", sums.weight_memory, row.at("sum_bitw"), kStored);
}

// Rows "cifar/b24/NAME". The published code fails on some genotypes and notes the error; ours has
// figures for them too, but nothing to compare with.
void CheckNumbers(const GoldenFile& file, const DerivedUnderTest& test, Comparison& comparison) {
  for (const auto& [key, row] : file.table.at("table").items()) {
    if (row.contains("error")) continue;
    const std::vector<std::string> parts = absl::StrSplit(key, '/');
    const nas::DerivedLayout layout = TableLayout(parts.at(0), parts.at(2));
    base::TensorMap gammas = Gammas(ValueOrThrow(
        base::ReadTensorFile(absl::StrCat(file.folder, "/numbers_gamma_", parts.at(1), ".pt"))));
    test.alter_gammas(gammas);
    const std::vector<nas::ConvBits> bits = PublishedBits(gammas, layout);

    CheckParameters(key, layout, row, comparison);
    comparison.Equal(key + "/n_quant_convs", bits.size(), row.at("n_quant_convs").get<size_t>());
    std::map<std::string, int64_t> activations, weights;
    for (const nas::ConvBits& conv : bits) {
      ++activations[absl::StrCat(conv.activation)];
      ++weights[absl::StrCat(conv.weight)];
    }
    for (const auto& [width, count] : row.at("abits_hist").items()) {
      comparison.Equal(absl::StrCat(key, "/abits_hist ", width), activations[width],
                       count.get<int64_t>());
    }
    for (const auto& [width, count] : row.at("wbits_hist").items()) {
      comparison.Equal(absl::StrCat(key, "/wbits_hist ", width), weights[width],
                       count.get<int64_t>());
    }
    for (const bool head_ran : {false, true}) {
      const std::string run = head_ran ? "train_forward" : "eval_forward";
      CheckSums(absl::StrCat(key, "/", run),
                PublishedSums(layout, TableShape(parts.at(0)).images, bits, head_ran,
                              test.published_cost_model),
                row.at(run), comparison);
    }
  }
}

// The checkpoint itself; what it leads to is in numbers.json.
void CheckGammas(const GoldenFile& file, Comparison& comparison) {
  const base::TensorMap gammas = Gammas(file.tensors);
  const auto choices = ValueOrThrow(nas::GammaChoices::FromTensors(gammas));
  comparison.Equal("candidates", choices.num_candidates(),
                   file.Tensor("gamma/gamma_weight_celln").size(-1));
  for (const bool reduction : {false, true}) {
    const at::Tensor& rows =
        file.Tensor(absl::StrCat("gamma/gamma_activ_cell", reduction ? "r" : "n"));
    comparison.Equal("cells", static_cast<int64_t>(choices.num_cells(reduction)), rows.size(0));
    const at::Tensor argmax = rows.argmax(-1);
    for (int64_t i = 0; i < argmax.numel(); ++i) {
      const int row = i % nas::kNumGammaRows, edge = i / nas::kNumGammaRows % nas::kCellEdges,
                cell = i / nas::kNumGammaRows / nas::kCellEdges;
      comparison.Equal(absl::StrCat("choice ", i),
                       choices.Edge(reduction, cell, edge, row).activation,
                       argmax.flatten()[i].item<int64_t>());
    }
  }
}

int64_t NumParameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

// Of a float supernet with C 16, 8 layers and the classes of its images; `partial_channels` 1 is
// DARTS, where every edge processes all channels.
int64_t NumSupernetParameters(ImageKind images, int64_t partial_channels) {
  const bool imagenet = images == ImageKind::kImageNet;
  const int64_t stem_channels = 3 * 16;
  nas::SupernetCellOptions options{.input0_channels = stem_channels,
                                   .input1_channels = stem_channels,
                                   .channels = 16,
                                   .partial_channels = partial_channels,
                                   .reduction = false,
                                   .previous_reduction = imagenet,
                                   .eight_bit = quant::EightBit::kPublished};
  int64_t count = imagenet ? NumParameters(*nas::ImageNetStem0(stem_channels)) +
                                 NumParameters(*nas::ImageNetStem1(stem_channels))
                           : NumParameters(*nas::CifarStem(stem_channels));
  for (int cell = 0; cell < 8; ++cell) {
    options.reduction = nas::IsReductionCell(cell, 8);
    if (options.reduction) options.channels *= 2;
    count += NumParameters(nas::SupernetCell(options));
    options.input0_channels = options.input1_channels;
    options.input1_channels = nas::kCellNodes * options.channels;
    options.previous_reduction = options.reduction;
  }
  const int64_t classes = imagenet ? 1000 : 10;
  return count + (options.input1_channels + 1) * classes;
}

// Rows "cifar/NAME" and "super_…_C16_L8".
void CheckParameterCounts(const GoldenFile& file, Comparison& comparison) {
  for (const auto& [key, row] : file.table.at("table").items()) {
    if (!absl::StartsWith(key, "super_")) {
      const std::vector<std::string> parts = absl::StrSplit(key, '/');
      CheckParameters(key, TableLayout(parts.at(0), parts.at(1)), row, comparison);
      continue;
    }
    if (!absl::EndsWith(key, "_C16_L8")) throw std::invalid_argument("unknown row " + key);
    const bool imagenet = absl::StrContains(key, "imagenet");
    const bool partial = absl::StartsWith(key, "super_pcdarts_");
    comparison.Equal(
        key,
        NumSupernetParameters(imagenet ? ImageKind::kImageNet : ImageKind::kCifar, !partial   ? 1
                                                                                   : imagenet ? 2
                                                                                              : 4),
        row.at("params").get<int64_t>());
  }
}

}  // namespace

std::vector<Group> NumberGroups(const DerivedUnderTest& test) {
  return {
      {"numbers\\.json", [test](const GoldenFile& file,
                                Comparison& comparison) { CheckNumbers(file, test, comparison); }},
      {"numbers_gamma_.*\\.pt", CheckGammas},
      {"fp32_param_counts\\.json", CheckParameterCounts}};
}

}  // namespace golden
