// Derives a network that meets a budget: settles what steering the search towards it
// (cost_controller.h) has left over.
#ifndef NAS_BUDGET_SETTLE_ON_BUDGET_H_
#define NAS_BUDGET_SETTLE_ON_BUDGET_H_

#include <functional>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nas/budget/cost_target.h"
#include "nas/derivation/derivation.h"
#include "nas/derived/architecture.h"

namespace nas {

// The network derive(0), unless its cost is more than a tenth off the budget: then of derive(mu),
// |mu| at most `farthest`, the one nearest to it. derive(mu) is what the search stands for once mu
// times its bits is subtracted from every logit of a choice of bits, so that choices change sides
// in the order of how sure they are, and the cost falls as mu rises. `target` is
// set.
absl::StatusOr<Architecture> SettleOnBudget(
    const std::function<absl::StatusOr<Architecture>(double mu)>& derive, double farthest,
    const CostTarget& target);

// The mu beyond which every choice of `logits` [..., bits] is that of the lowest or highest bits.
double FarthestShift(const at::Tensor& logits);

// DeriveArchitecture, its gammas settled on the budget.
absl::StatusOr<Architecture> DeriveOnBudget(const base::TensorMap& state,
                                            const DerivationOptions& options,
                                            const CostTarget& target);

}  // namespace nas

#endif  // NAS_BUDGET_SETTLE_ON_BUDGET_H_
