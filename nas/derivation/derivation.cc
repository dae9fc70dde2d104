#include "nas/derivation/derivation.h"

#include <array>
#include <cstdint>
#include <string>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nas/derivation/gamma_choices.h"
#include "nas/derivation/genotype_derivation.h"

namespace nas {

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

}  // namespace nas
