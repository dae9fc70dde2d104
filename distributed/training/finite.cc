#include "distributed/training/finite.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "c10/core/GradMode.h"

namespace distributed {
namespace {

absl::Status RequireFinite(const std::string& name, double value) {
  if (std::isfinite(value)) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(name, " is ",
                                            std::isnan(value) ? "nan"
                                            : value > 0       ? "inf"
                                                              : "-inf"));
}

}  // namespace

absl::Status RequireFinite(const Metrics& metrics) {
  const c10::NoGradGuard no_grad;
  absl::Status status;
  for (const auto& [name, metric] : metrics) {
    if (metric.count > 0) status.Update(RequireFinite(name, metric.sum.item<double>()));
  }
  return status;
}

absl::Status RequireFinite(const std::map<std::string, double>& means) {
  absl::Status status;
  for (const auto& [name, mean] : means) status.Update(RequireFinite(name, mean));
  return status;
}

absl::Status RequireFinite(const base::TensorMap& state) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) {
    if (!tensor.is_floating_point() || tensor.numel() == 0) continue;
    // A sum is finite if its terms are, unless it overflows: one pass over the usual state.
    if (std::isfinite(tensor.detach().sum(at::kDouble).item<double>())) continue;
    const int64_t good = tensor.detach().isfinite().sum().item<int64_t>();
    if (good == tensor.numel()) continue;
    return absl::OutOfRangeError(absl::StrCat(tensor.numel() - good, " of the ", tensor.numel(),
                                              " numbers of ", name, " are not finite"));
  }
  return absl::OkStatus();
}

}  // namespace distributed
