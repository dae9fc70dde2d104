#include "tools/program/budget_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nas/space/primitives.h"

namespace tools {
namespace {

constexpr double kTolerance = 1.1;

// Which earlier states an edge comes from does not matter: what it costs is decided by its node's
// size, since the first convolution of an operation is the one that halves it.
nas::Genotype AllOf(nas::Primitive primitive) {
  nas::CellGenotype cell;
  for (int node = 0; node < 4; ++node) {
    for (int64_t predecessor : {0, 1}) cell.edges.push_back({primitive, predecessor});
  }
  cell.concat = {2, 3, 4, 5};
  return {.normal = cell, .reduce = cell};
}

double ExcessAt(const nas::CostTarget& target, const nas::DerivedLayout& layout,
                const nas::ConvBits& bits) {
  return target.Excess(layout, {layout.convs.size(), bits});
}

}  // namespace

nas::Genotype CheapestGenotype() { return AllOf(nas::Primitive::kMaxPool3x3); }
nas::Genotype DearestGenotype() { return AllOf(nas::Primitive::kSepConv5x5); }

absl::Status RequireBudgetInReach(const nas::CostTarget& target, const std::vector<int64_t>& bits,
                                  const nas::DerivedLayout& cheapest,
                                  const nas::DerivedLayout& dearest) {
  const auto [least, most] = std::minmax_element(bits.begin(), bits.end());
  return RequireBudgetInReach(target, nas::ConvBits{*least, *least}, nas::ConvBits{*most, *most},
                              cheapest, dearest);
}

absl::Status RequireBudgetInReach(const nas::CostTarget& target, const nas::ConvBits& fewest_bits,
                                  const nas::ConvBits& most_bits,
                                  const nas::DerivedLayout& cheapest,
                                  const nas::DerivedLayout& dearest) {
  if (!target.is_set()) return absl::OkStatus();
  const double least = ExcessAt(target, cheapest, fewest_bits);
  const double most = ExcessAt(target, dearest, most_bits);
  if (least <= kTolerance && most >= 1 / kTolerance) return absl::OkStatus();
  const bool bit_ops = target.bit_ops > 0;
  const double from = bit_ops ? target.bit_ops * least : target.compression / most;
  const double to = bit_ops ? target.bit_ops * most : target.compression / least;
  return absl::InvalidArgumentError(absl::StrFormat(
      "--target_%s=%.6g: out of reach: what may be derived has %.4g to %.4g",
      bit_ops ? "bitops" : "compression", bit_ops ? target.bit_ops : target.compression, from, to));
}

}  // namespace tools
