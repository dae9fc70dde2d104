// bazel run //tools:published_costs [-- --gammas=$PWD/gamma_checkpoint.t7]
//
// Prints parameters and costs of every published genotype, at the published sizes (CIFAR: 36
// channels, 20 layers; ImageNet: 48, 14), in the published and the exact convention; in float, with
// all bits alike, and as a gamma checkpoint chose them. And of every fixed network, EdMIPS's with
// the bits that its authors published, too.

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "nas/derivation/bit_assignment.h"
#include "nas/derivation/gamma_choices.h"
#include "nas/derived/architecture.h"
#include "nas/derived/cost_report.h"
#include "nas/derived/derived_layout.h"
#include "nas/networks/fixed_networks.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/space/published_genotypes.h"
#include "quant/bit_cost.h"
#include "tools/flags/tool.h"

DEFINE_string(gammas, "", "Gamma checkpoint of a search, to cost the bits it chose as well.");

namespace {

constexpr nas::NetworkShape kCifar = {};
constexpr nas::NetworkShape kImageNet = {.images = nas::ImageKind::kImageNet,
                                         .image_side = 224,
                                         .channels = 48,
                                         .layers = 14,
                                         .classes = 1000};

void PrintRow(const std::string& name, const char* bits_name, const nas::DerivedLayout& layout,
              const std::vector<nas::ConvBits>& bits) {
  const nas::CostReport report = nas::MakeCostReport(layout, bits);
  const quant::ConvCost& published = report.published_cells.cost;
  const quant::ConvCost& exact = report.exact_cells.cost;
  const quant::ConvCost& network = report.exact_network.cost;
  std::cout << absl::StrFormat(
      "%-20s %-6s %8.3f | %10.3f %8.3f %8.3f | %9.3f %8.3f %8.3f | %9.3f %8.3f %8.3f\n", name,
      bits_name, report.num_parameters * 1e-6, published.bit_ops * 1e-3,
      published.activation_memory * 1e-3, published.weight_memory, exact.bit_ops * 1e-9,
      exact.activation_memory * 1e-6, exact.weight_memory * 1e-6, network.bit_ops * 1e-9,
      network.activation_memory * 1e-6, network.weight_memory * 1e-6);
}

// Of the quantized convolutions, counted as published, but for the parameters of all.
void PrintFixedRow(const nas::Architecture& architecture, const char* bits_name,
                   const nas::DerivedLayout& layout) {
  const nas::CostReport report = nas::MakeCostReport(layout, architecture.bits);
  const quant::ConvCost& cost = report.published_cells.cost;
  double macs = 0, exact_macs = 0, weights = 0;
  for (const nas::ConvSite& conv : layout.convs) {
    macs += quant::Macs(conv.shape, quant::CostModel::kPublished);
    exact_macs += quant::Macs(conv.shape, quant::CostModel::kExact);
    weights += quant::Parameters(conv.shape, quant::CostModel::kPublished);
  }
  std::cout << absl::StrFormat("%-24s %-6s %8.3f | %8.1f %8.1f %8.3f | %9.3f %8.3f %8.3f | %9.3f\n",
                               architecture.fixed_network, bits_name, report.num_parameters * 1e-6,
                               macs, exact_macs * 1e-6, weights, cost.bit_ops * 1e-3,
                               cost.activation_memory / 8e3, cost.weight_memory / 8,
                               report.exact_cells.cost.bit_ops * 1e-9);
}

absl::Status PrintFixedNetworks() {
  constexpr int64_t kClasses = 1000;
  std::cout << absl::StrFormat(
      "\nfixed networks, ImageNet\n%-24s %-6s %8s | %26s | %27s | %9s\n%-24s %-6s %8s | %8s %8s "
      "%8s | "
      "%9s %8s %8s | %9s\n",
      "", "", "params", "quantized convolutions", "published", "exact", "network", "bits", "M",
      "M MACs", "true", "M params", "G BitOps", "act MB", "wgt MB", "G BitOps");
  for (const std::string& name : nas::FixedNetworkNames()) {
    ASSIGN_OR_RETURN(nas::Architecture architecture,
                     nas::FixedArchitecture(name, nas::PublishedImageSide(name), kClasses, {}));
    ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::LayoutOf(architecture));
    for (const int64_t width : {32, 4, 2}) {
      architecture.bits.assign(layout.convs.size(), {width, width});
      PrintFixedRow(architecture, absl::StrFormat("%d/%d", width, width).c_str(), layout);
    }
    architecture.bits = nas::PublishedBits(name);
    if (!architecture.bits.empty()) PrintFixedRow(architecture, "mixed", layout);
  }
  return absl::OkStatus();
}

absl::Status PrintTables() {
  std::optional<nas::GammaChoices> choices;
  if (!FLAGS_gammas.empty()) {
    ASSIGN_OR_RETURN(choices, nas::GammaChoices::Read(FLAGS_gammas));
  }
  if (tools::IsDryRun()) {
    std::cout << absl::StrFormat("would cost %d genotypes and %d fixed networks\n",
                                 nas::PublishedGenotypeNames().size(),
                                 nas::FixedNetworkNames().size());
    return absl::OkStatus();
  }
  for (const nas::NetworkShape& shape : {kCifar, kImageNet}) {
    std::cout << absl::StrFormat(
        "\n%s, %d channels, %d layers\n%-20s %-6s %8s | %28s | %27s | %27s\n%-20s %-6s %8s | %10s "
        "%8s "
        "%8s | %9s %8s %8s | %9s %8s %8s\n",
        std::string(nas::ImageKindName(shape.images)), shape.channels, shape.layers, "", "",
        "params", "published (cells)", "exact (cells)", "exact (network)", "genotype", "bits", "M",
        "G BitOps", "act Mb", "wgt Mb", "G BitOps", "act MB", "wgt MB", "G BitOps", "act MB",
        "wgt MB");
    for (const std::string& name : nas::PublishedGenotypeNames()) {
      ASSIGN_OR_RETURN(const nas::Genotype genotype, nas::PublishedGenotype(name));
      ASSIGN_OR_RETURN(const nas::DerivedLayout layout, nas::MakeDerivedLayout(genotype, shape));
      for (const int64_t width : {32, 4, 2}) {
        const std::vector<nas::ConvBits> bits(layout.convs.size(), nas::ConvBits{width, width});
        PrintRow(name, absl::StrFormat("%d/%d", width, width).c_str(), layout, bits);
      }
      if (!choices) continue;
      const std::vector<int64_t> candidates = choices->num_candidates() == 3
                                                  ? std::vector<int64_t>{2, 4, 8}
                                                  : std::vector<int64_t>{2, 4};
      ASSIGN_OR_RETURN(const std::vector<nas::ConvBits> bits,
                       nas::AssignBits(*choices, layout, {.candidates = candidates}));
      PrintRow(name, "gammas", layout, bits);
    }
  }
  return PrintFixedNetworks();
}

}  // namespace

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Prints what every published genotype and fixed network costs.",
                        {}, PrintTables);
}
