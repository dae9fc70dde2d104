#include "nas/budget/cost_controller.h"

#include <algorithm>
#include <cmath>

#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

constexpr char kState[] = "optimizer/cost_controller";

constexpr double kProportional = 8;
constexpr double kLargestError = 1;
// The weight stays below decay·e^24 / 2 where a budget is out of reach.
constexpr double kLargestIntegral = 16;

double Error(double excess) { return std::clamp(std::log2(excess), -kLargestError, kLargestError); }

}  // namespace

double CostController::weight() const {
  if (!steers_) return decay_;
  if (excess_ == 0) return 0;
  return decay_ * std::sinh(kProportional * Error(excess_) + integral_);
}

void CostController::Observe(double excess) {
  CHECK(steers_);
  CHECK_GT(excess, 0);
  excess_ = excess;
  integral_ = std::clamp(integral_ + gain_ * Error(excess), -kLargestIntegral, kLargestIntegral);
}

void CostController::AppendSummary(nlohmann::json& summary) const {
  if (!steers_) return;
  summary["complexity_weight"] = weight();
  if (excess_ > 0) summary["times_over_target"] = excess_;
}

void CostController::AppendState(base::TensorMap& state) const {
  if (steers_) state.emplace(kState, at::tensor({excess_, integral_}, at::kDouble));
}

absl::Status CostController::LoadState(const base::TensorMap& state) {
  if (!steers_) return absl::OkStatus();
  const auto found = state.find(kState);
  if (found == state.end() || found->second.numel() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(kState, ": expected the two numbers of a cost controller"));
  }
  excess_ = found->second[0].item<double>();
  integral_ = found->second[1].item<double>();
  return absl::OkStatus();
}

}  // namespace nas
