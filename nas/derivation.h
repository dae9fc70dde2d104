// From what a search has learned to the network that it stands for.
#ifndef NAS_DERIVATION_H_
#define NAS_DERIVATION_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nas/architecture.h"
#include "nas/bit_assignment.h"
#include "nas/cost_target.h"
#include "nas/derived_layout.h"
#include "quant/lattice.h"

namespace nas {

struct DerivationOptions {
  NetworkShape network;                // Of the network to derive.
  std::vector<int64_t> bits = {2, 4};  // Candidates of the search; a single one has no gammas.
  DepthRule depth_rule = DepthRule::kPublished;
  quant::EightBit eight_bit = quant::EightBit::kPublished;
};

// The genotype of `state`'s alphas and betas (nas/genotype_derivation.h) with the bits of its
// gammas (nas/bit_assignment.h); other tensors are passed over. InvalidArgument as from these, or
// naming the tensor that is missing.
absl::StatusOr<Architecture> DeriveArchitecture(const base::TensorMap& state,
                                                const DerivationOptions& options);

// The network derive(0), unless its cost is more than a tenth off the budget: then of derive(mu),
// |mu| at most `farthest`, the one nearest to it. derive(mu) is what the search stands for once mu
// times its bits is subtracted from every logit of a choice of bits, so that choices change sides
// in the order of how sure they are, and the cost falls as mu rises. What steering the search
// towards the budget (nas/cost_controller.h) has left over is settled here. `target` is set.
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

#endif  // NAS_DERIVATION_H_
