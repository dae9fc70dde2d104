#include "nas/derivation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/tensor.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nas/gamma_choices.h"
#include "nas/genotype_derivation.h"

namespace nas {
namespace {

bool IsGamma(const std::string& name) { return absl::StartsWith(name, "gamma_"); }

// `state` with mu times its bits subtracted from every gamma.
base::TensorMap Shifted(const base::TensorMap& state, const std::vector<int64_t>& bits, double mu) {
  base::TensorMap shifted = state;
  for (auto& [name, tensor] : shifted) {
    if (IsGamma(name)) {
      tensor = tensor.detach() - at::tensor(bits, at::kLong).to(tensor.options()) * mu;
    }
  }
  return shifted;
}

absl::StatusOr<double> ExcessOf(const Architecture& architecture, const CostTarget& target) {
  ASSIGN_OR_RETURN(const DerivedLayout layout,
                   MakeDerivedLayout(architecture.genotype, architecture.network));
  return target.Excess(layout, architecture.bits);
}

}  // namespace

absl::StatusOr<Architecture> DeriveArchitecture(const base::TensorMap& state,
                                                const DerivationOptions& options) {
  std::array<at::Tensor, 4> logits;
  const std::array<std::string, 4> names = {"alphas_normal", "alphas_reduce", "betas_normal",
                                            "betas_reduce"};
  for (size_t i = 0; i < names.size(); ++i) {
    const auto found = state.find(names[i]);
    if (found == state.end()) {
      return absl::InvalidArgumentError(absl::StrCat(names[i], ": is missing"));
    }
    logits[i] = found->second;
  }
  ASSIGN_OR_RETURN(const Genotype genotype,
                   DeriveGenotype(logits[0], logits[1], logits[2], logits[3]));
  const int64_t first = options.bits.front();
  ASSIGN_OR_RETURN(Architecture architecture,
                   UniformArchitecture(genotype, options.network, {first, first}));
  architecture.eight_bit = options.eight_bit;
  if (options.bits.size() == 1) return architecture;

  ASSIGN_OR_RETURN(const GammaChoices choices, GammaChoices::FromTensors(state));
  ASSIGN_OR_RETURN(const DerivedLayout layout, MakeDerivedLayout(genotype, options.network));
  ASSIGN_OR_RETURN(
      architecture.bits,
      AssignBits(choices, layout, {.candidates = options.bits, .rule = options.depth_rule}));
  return architecture;
}

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
    if (IsGamma(name)) farthest = std::max(farthest, FarthestShift(tensor));
  }
  return SettleOnBudget(
      [&](double mu) { return DeriveArchitecture(Shifted(state, options.bits, mu), options); },
      farthest, target);
}

}  // namespace nas
