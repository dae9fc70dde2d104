#include "tests/golden/groups/published_sums.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "nas/derivation/bit_assignment.h"
#include "nas/derivation/gamma_choices.h"

namespace golden {

base::TensorMap Gammas(const base::TensorMap& tensors) {
  base::TensorMap gammas;
  for (const auto& [key, tensor] : tensors) {
    absl::string_view name = key;
    if (absl::ConsumePrefix(&name, "gamma/")) gammas.emplace(name, tensor);
  }
  return gammas;
}

std::vector<nas::ConvBits> PublishedBits(const base::TensorMap& gammas,
                                         const nas::DerivedLayout& layout) {
  const auto choices = nas::GammaChoices::FromTensors(gammas);
  if (!choices.ok()) throw std::invalid_argument(choices.status().ToString());
  // The published search knows two lists of candidates.
  const std::vector<int64_t> candidates =
      choices->num_candidates() == 2 ? std::vector<int64_t>{2, 4} : std::vector<int64_t>{2, 4, 8};
  const auto bits = nas::AssignBits(*choices, layout, {.candidates = candidates});
  if (!bits.ok()) throw std::invalid_argument(bits.status().ToString());
  return *bits;
}

quant::ConvCost PublishedSums(const nas::DerivedLayout& layout, nas::ImageKind images,
                              const std::vector<nas::ConvBits>& bits, bool head_ran,
                              quant::CostModel model) {
  quant::ConvCost sums;
  for (size_t i = 0; i < bits.size(); ++i) {
    sums += quant::Cost(layout.convs[i].shape, bits[i].activation, bits[i].weight, model);
  }
  for (const nas::FloatConvSite& conv : layout.float_convs) {
    if (images != nas::ImageKind::kImageNet ||
        !absl::StartsWith(conv.name, "auxiliary_head.features.")) {
      continue;
    }
    const quant::ConvCost cost = quant::Cost(conv.shape, 32, 32, model);
    sums += head_ran ? cost : quant::ConvCost{.weight_memory = cost.weight_memory};
  }
  return sums;
}

}  // namespace golden
