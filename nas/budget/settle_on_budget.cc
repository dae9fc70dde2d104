#include "nas/budget/settle_on_budget.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/tensor.h"
#include "base/status_macros.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/gamma_names.h"

namespace nas {
namespace {

// `state` with mu times its bits subtracted from every gamma.
base::TensorMap Shifted(const base::TensorMap& state, const std::vector<int64_t>& bits, double mu) {
  base::TensorMap shifted = state;
  for (auto& [name, tensor] : shifted) {
    if (IsGammaName(name)) {
      tensor = tensor.detach() - at::tensor(bits, at::kLong).to(tensor.options()) * mu;
    }
  }
  return shifted;
}

absl::StatusOr<double> ExcessOf(const Architecture& architecture, const CostTarget& target) {
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(architecture));
  return target.Excess(layout, architecture.bits);
}

}  // namespace

absl::StatusOr<Architecture> SettleOnBudget(
    const std::function<absl::StatusOr<Architecture>(double mu)>& derive, double farthest,
    const CostTarget& target) {
  constexpr double kTolerance = 0.1;
  constexpr int kHalvings = 50;
  ASSIGN_OR_RETURN(Architecture found, derive(0));
  ASSIGN_OR_RETURN(const double excess, ExcessOf(found, target));
  if (std::abs(excess - 1) <= kTolerance) return found;

  double low = excess > 1 ? 0 : -farthest, high = excess > 1 ? farthest : 0;
  double nearest = std::abs(std::log(excess));
  for (int i = 0; i < kHalvings; ++i) {
    const double mu = (low + high) / 2;
    ASSIGN_OR_RETURN(Architecture candidate, derive(mu));
    ASSIGN_OR_RETURN(const double candidate_excess, ExcessOf(candidate, target));
    (candidate_excess > 1 ? low : high) = mu;
    if (std::abs(std::log(candidate_excess)) < nearest) {
      nearest = std::abs(std::log(candidate_excess));
      found = std::move(candidate);
    }
  }
  return found;
}

double FarthestShift(const at::Tensor& logits) {
  // Two candidates differ by a bit or more.
  constexpr double kAboveEquality = 1;
  return 2 * logits.abs().max().item<double>() + kAboveEquality;
}

absl::StatusOr<Architecture> DeriveOnBudget(const base::TensorMap& state,
                                            const DerivationOptions& options,
                                            const CostTarget& target) {
  double farthest = 0;
  for (const auto& [name, tensor] : state) {
    if (IsGammaName(name)) farthest = std::max(farthest, FarthestShift(tensor));
  }
  return SettleOnBudget(
      [&](double mu) { return DeriveArchitecture(Shifted(state, options.bits, mu), options); },
      farthest, target);
}

}  // namespace nas
