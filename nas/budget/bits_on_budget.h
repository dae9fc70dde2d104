// The bits that lose least on a budget, when what each convolution's bits lose and cost adds up:
// what tools do with the sensitivities of layers (HAWQ-V3, arXiv:2011.10680, has it as an integer
// program).
#ifndef NAS_BUDGET_BITS_ON_BUDGET_H_
#define NAS_BUDGET_BITS_ON_BUDGET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nas/derived/derived_layout.h"

namespace nas {

struct BitsOption {
  ConvBits bits;
  int64_t cost = 0;  // BitOps, or any other unit.
  double loss = 0;
};

// One of a convolution's options for each, so that the sum of losses is the least of all choices
// whose costs sum up to at most `budget`; of those the cheapest. Convolutions with the same text in
// `tensors` get the same activation bits. Exact: dynamic programming over costs, whose time and
// memory grow with the number of different sums. InvalidArgument if every choice costs more, naming
// the least cost. `tensors` and `options` have a place for each convolution, `options` at least one
// in each.
absl::StatusOr<std::vector<ConvBits>> BitsOnBudget(
    const std::vector<std::string>& tensors, const std::vector<std::vector<BitsOption>>& options,
    int64_t budget);

}  // namespace nas

#endif  // NAS_BUDGET_BITS_ON_BUDGET_H_
