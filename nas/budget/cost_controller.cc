#include "nas/budget/cost_controller.h"

#include <algorithm>
#include <cmath>

#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace nas {
namespace {

constexpr double kProportional = 8;
constexpr double kLargestError = 1;
// The weight stays below unit·e^24 / 2 where a budget is out of reach.
constexpr double kLargestIntegral = 16;

}  // namespace

double CostController::weight() const {
  return unit_ * std::sinh(kProportional * error_ + integral_);
}

void CostController::Observe(double excess) {
  CHECK_GT(excess, 0);
  error_ = std::clamp(std::log2(excess), -kLargestError, kLargestError);
  integral_ = std::clamp(integral_ + gain_ * error_, -kLargestIntegral, kLargestIntegral);
}

void CostController::AppendState(const std::string& name, base::TensorMap& state) const {
  state.emplace(name, at::tensor({error_, integral_}, at::kDouble));
}

absl::Status CostController::LoadState(const std::string& name, const base::TensorMap& state) {
  const auto found = state.find(name);
  if (found == state.end() || found->second.numel() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": expected the two numbers of a cost controller"));
  }
  error_ = found->second[0].item<double>();
  integral_ = found->second[1].item<double>();
  return absl::OkStatus();
}

}  // namespace nas
