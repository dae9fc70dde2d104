#include "nas/derivation/bit_assignment.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"
#include "quant/lattice.h"

namespace nas {
namespace {

absl::Status CheckCandidates(const std::vector<int64_t>& candidates, int64_t num_searched) {
  if (static_cast<int64_t>(candidates.size()) != num_searched) {
    return absl::InvalidArgumentError(absl::StrCat(
        "bits: are ", candidates.size(), " candidates; the gammas choose among ", num_searched));
  }
  for (const int64_t bits : candidates) {
    if (!quant::IsSupportedBits(bits)) {
      return absl::InvalidArgumentError(
          absl::StrCat("bits: has ", bits, "; expected some of ", quant::kSupportedBits));
    }
  }
  return absl::OkStatus();
}

// The searched cell of every cell of `layout`, counted within its kind.
absl::StatusOr<std::vector<int>> SearchedCells(const GammaChoices& choices,
                                               const DerivedLayout& layout, DepthRule rule) {
  std::array<int, 2> total = {0, 0};
  for (const CellSite& cell : layout.cells) ++total[cell.reduction];
  std::array<int, 2> count = {0, 0};
  std::vector<int> rows;
  for (size_t i = 0; i < layout.cells.size(); ++i) {
    const bool reduction = layout.cells[i].reduction;
    const int searched = choices.num_cells(reduction);
    const int number = count[reduction]++;
    int row = (2 * number + 1) * searched / (2 * total[reduction]);
    if (rule == DepthRule::kPublished) row = i > (reduction ? 9 : 6) ? 0 : number;
    if (row >= searched) {
      return absl::InvalidArgumentError(absl::StrCat(
          "cells.", i, ": the published rule takes its bits from ",
          reduction ? "reduction" : "normal", " cell ", row, " of the search, which had ", searched,
          "; the proportional rule fits any depth"));
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

absl::StatusOr<DepthRule> ParseDepthRule(absl::string_view name) {
  if (name == "published") return DepthRule::kPublished;
  if (name == "proportional") return DepthRule::kProportional;
  return absl::InvalidArgumentError(
      absl::StrCat("unknown rule '", name, "'; expected published or proportional"));
}

absl::StatusOr<std::vector<ConvBits>> AssignBits(const GammaChoices& choices,
                                                 const DerivedLayout& layout,
                                                 const BitAssignmentOptions& options) {
  RETURN_IF_ERROR(CheckCandidates(options.candidates, choices.num_candidates()));
  ASSIGN_OR_RETURN(const std::vector<int> rows, SearchedCells(choices, layout, options.rule));
  const int64_t largest = *std::max_element(options.candidates.begin(), options.candidates.end());
  const ConvBits default_bits = options.default_bits.value_or(ConvBits{largest, largest});

  std::vector<ConvBits> bits;
  for (const ConvSite& conv : layout.convs) {
    if (!conv.operation) {
      bits.push_back(default_bits);
      continue;
    }
    const OperationSite& operation = layout.operations[*conv.operation];
    const bool reduction = layout.cells[operation.cell].reduction;
    const int row = rows[operation.cell];
    GammaChoices::Choice choice;
    if (!operation.edge) {
      choice = choices.Preprocess(reduction, row, operation.position);
    } else {
      const int node = operation.position / 2;
      const std::optional<int> gamma_row = GammaRow(operation.edge->primitive);
      if (!gamma_row || node >= kCellNodes) {
        bits.push_back(default_bits);
        continue;
      }
      choice =
          choices.Edge(reduction, row, EdgeIndex(node, operation.edge->predecessor), *gamma_row);
    }
    bits.push_back({options.candidates[choice.activation], options.candidates[choice.weight]});
  }
  return bits;
}

}  // namespace nas
