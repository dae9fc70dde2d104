// Whether a budget can be met at all, found out before the search for a network that meets it.
#ifndef TOOLS_PROGRAM_BUDGET_CHECK_H_
#define TOOLS_PROGRAM_BUDGET_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "nas/budget/cost_target.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/genotype.h"

namespace tools {

// Of the networks of `shape` that a search of operations may derive, the one that costs least, at
// equal bits, and the one that costs most.
nas::Genotype CheapestGenotype();
nas::Genotype DearestGenotype();

// InvalidArgument, naming the flag and what is in reach, if `cheapest` at the least of `bits` costs
// over a tenth more than the budget, or `dearest` at the most of them over a tenth less. OK without
// a budget.
absl::Status RequireBudgetInReach(const nas::CostTarget& target, const std::vector<int64_t>& bits,
                                  const nas::DerivedLayout& cheapest,
                                  const nas::DerivedLayout& dearest);

// The same where the bits of activations and of weights are others.
absl::Status RequireBudgetInReach(const nas::CostTarget& target, const nas::ConvBits& fewest_bits,
                                  const nas::ConvBits& most_bits,
                                  const nas::DerivedLayout& cheapest,
                                  const nas::DerivedLayout& dearest);

}  // namespace tools

#endif  // TOOLS_PROGRAM_BUDGET_CHECK_H_
