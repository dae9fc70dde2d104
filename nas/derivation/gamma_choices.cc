#include "nas/derivation/gamma_choices.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "nas/space/gamma_names.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

// The position of the largest value in each row (last dimension) of the tensor called `name`, which
// has this shape.
absl::StatusOr<std::vector<int64_t>> Argmax(const base::TensorMap& gammas, const std::string& name,
                                            std::vector<int64_t> shape) {
  const auto found = gammas.find(name);
  if (found == gammas.end()) return absl::InvalidArgumentError(absl::StrCat(name, ": is missing"));
  if (found->second.sizes() != at::IntArrayRef(shape)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": has shape [", absl::StrJoin(found->second.sizes(), ", "),
                     "]; expected [", absl::StrJoin(shape, ", "), "]"));
  }
  const at::Tensor values = found->second.detach().to(at::kCPU, at::kDouble).contiguous();
  const double* value = values.data_ptr<double>();
  std::vector<int64_t> choices;
  for (int64_t i = 0; i < values.numel(); i += shape.back()) {
    const auto is_nan = [](double v) { return std::isnan(v); };
    const double* end = value + i + shape.back();
    if (const double* nan = std::find_if(value + i, end, is_nan); nan != end) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": element ", nan - value, " is NaN; expected a number"));
    }
    choices.push_back(std::max_element(value + i, end) - (value + i));
  }
  return choices;
}

absl::StatusOr<std::vector<GammaChoices::Choice>> Choices(const base::TensorMap& gammas,
                                                          bool reduction, std::optional<int> input,
                                                          const std::vector<int64_t>& shape) {
  ASSIGN_OR_RETURN(const auto activation,
                   Argmax(gammas, GammaName(GammaOf::kActivation, reduction, input), shape));
  ASSIGN_OR_RETURN(const auto weight,
                   Argmax(gammas, GammaName(GammaOf::kWeight, reduction, input), shape));
  std::vector<GammaChoices::Choice> choices;
  for (size_t i = 0; i < activation.size(); ++i) choices.push_back({activation[i], weight[i]});
  return choices;
}

}  // namespace

absl::StatusOr<GammaChoices> GammaChoices::FromTensors(const base::TensorMap& gammas) {
  GammaChoices choices;
  for (const bool reduction : {false, true}) {
    // The first tensor says how many cells and candidates there are; the others must agree.
    const std::string first = GammaName(GammaOf::kActivation, reduction, /*input=*/0);
    const auto found = gammas.find(first);
    if (found == gammas.end()) {
      return absl::InvalidArgumentError(absl::StrCat(first, ": is missing"));
    }
    if (found->second.dim() != 2 || found->second.size(1) < 2) {
      return absl::InvalidArgumentError(
          absl::StrCat(first, ": has shape [", absl::StrJoin(found->second.sizes(), ", "),
                       "]; expected [cells, candidates] with two candidates or more"));
    }
    if (!reduction) choices.num_candidates_ = found->second.size(1);
    const int64_t cells = found->second.size(0), candidates = choices.num_candidates_;
    Kind& kind = choices.of_kind_[reduction];
    kind.num_cells = cells;
    for (int input = 0; input < kCellInputs; ++input) {
      ASSIGN_OR_RETURN(kind.preprocess[input],
                       Choices(gammas, reduction, input, {cells, candidates}));
    }
    ASSIGN_OR_RETURN(kind.edges, Choices(gammas, reduction, std::nullopt,
                                         {cells, kCellEdges, kNumGammaRows, candidates}));
  }
  return choices;
}

absl::StatusOr<GammaChoices> GammaChoices::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const base::TensorMap gammas, base::ReadTensorFile(path));
  absl::StatusOr<GammaChoices> choices = FromTensors(gammas);
  if (!choices.ok()) {
    return absl::Status(choices.status().code(),
                        absl::StrCat(path, ": ", choices.status().message()));
  }
  return choices;
}

GammaChoices::Choice GammaChoices::Preprocess(bool reduction, int cell, int input) const {
  return of_kind_[reduction].preprocess[input].at(cell);
}

GammaChoices::Choice GammaChoices::Edge(bool reduction, int cell, int edge, int gamma_row) const {
  return of_kind_[reduction].edges.at((cell * kCellEdges + edge) * kNumGammaRows + gamma_row);
}

}  // namespace nas
