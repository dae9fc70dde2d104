// The names of gammas, as in the published code (QDARTS/model_search.py): a search learns them
// (nas/supernet/precision_parameters.h), a derivation reads them (nas/derivation/gamma_choices.h),
// files keep them.
#ifndef NAS_SPACE_GAMMA_NAMES_H_
#define NAS_SPACE_GAMMA_NAMES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace nas {

enum class GammaOf { kActivation, kWeight };

// "gamma_{activ,weight}_cell{n,r}", the edges' [cells, 14, 6, bits], in normal (n) or reduction (r)
// cells; "…_preprocess<input>", [cells, bits], for the preprocessing of an input.
std::string GammaName(GammaOf of, bool reduction, std::optional<int> input = std::nullopt);

bool IsGammaName(absl::string_view name);

}  // namespace nas

#endif  // NAS_SPACE_GAMMA_NAMES_H_
