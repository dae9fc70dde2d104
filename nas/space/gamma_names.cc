#include "nas/space/gamma_names.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace nas {

std::string GammaName(GammaOf of, bool reduction, std::optional<int> input) {
  std::string name = absl::StrCat("gamma_", of == GammaOf::kActivation ? "activ" : "weight",
                                  "_cell", reduction ? "r" : "n");
  if (input) absl::StrAppend(&name, "_preprocess", *input);
  return name;
}

bool IsGammaName(absl::string_view name) { return absl::StartsWith(name, "gamma_"); }

}  // namespace nas
