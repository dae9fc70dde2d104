#include "base/module_state.h"

#include <string>

#include "ATen/ops/isfinite.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"

namespace base {
namespace {

std::string Shape(const at::Tensor& tensor) {
  return absl::StrCat("[", absl::StrJoin(tensor.sizes(), ", "), "]");
}

absl::Status CheckFinite(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor bad = at::isfinite(tensor).logical_not().nonzero();
  if (bad.size(0) == 0) return absl::OkStatus();
  const at::Tensor place = bad[0].cpu();
  at::Tensor value = tensor;
  std::vector<int64_t> indices(place.data_ptr<int64_t>(),
                               place.data_ptr<int64_t>() + place.numel());
  for (const int64_t index : indices) value = value.select(0, index);
  return absl::InvalidArgumentError(absl::StrCat(name, "[", absl::StrJoin(indices, ", "), "] is ",
                                                 value.item<double>(), ", expected a number"));
}

}  // namespace

TensorMap ModuleState(const torch::nn::Module& module) {
  TensorMap state;
  for (const auto& parameter : module.named_parameters()) {
    state.emplace(parameter.key(), parameter.value());
  }
  for (const auto& buffer : module.named_buffers()) state.emplace(buffer.key(), buffer.value());
  return state;
}

absl::Status CopyState(const TensorMap& state, const TensorMap& into) {
  for (const auto& [name, tensor] : into) {
    const auto found = state.find(name);
    if (found == state.end()) {
      return absl::InvalidArgumentError(absl::StrCat(name, " ", Shape(tensor), " is missing"));
    }
    if (found->second.sizes() != tensor.sizes()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " has shape ", Shape(found->second), ", expected ", Shape(tensor)));
    }
    RETURN_IF_ERROR(CheckFinite(name, found->second));
  }
  for (const auto& [name, tensor] : state) {
    if (!into.contains(name)) {
      return absl::InvalidArgumentError(absl::StrCat(name, " ", Shape(tensor), " is unknown here"));
    }
  }
  c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : into) tensor.copy_(state.at(name));
  return absl::OkStatus();
}

}  // namespace base
