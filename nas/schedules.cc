#include "nas/schedules.h"

#include <cmath>
#include <numbers>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace nas {

double Schedule::Rate(int epoch) const {
  CHECK(0 <= epoch && epoch < epochs) << "epoch " << epoch << " of " << epochs;
  if (epoch < warmup_epochs) return base * (epoch + 1) / warmup_epochs;
  switch (shape) {
    case Shape::kCosine:
      return minimum +
             (base - minimum) * (1 + std::cos(std::numbers::pi * (epoch + 1) / epochs)) / 2;
    case Shape::kLinear: {
      constexpr int kTail = 5;
      CHECK_GT(epochs, kTail);
      const int left = epochs - epoch;
      const double per_epoch = base / (epochs - kTail);
      return left > kTail ? per_epoch * (left - kTail) : per_epoch * left / kTail;
    }
    case Shape::kStep:
      return base * std::pow(decay, epoch / decay_epochs);
  }
  LOG(FATAL) << "unknown schedule shape";
}

absl::StatusOr<Schedule::Shape> ParseScheduleShape(absl::string_view name) {
  if (name == "cosine") return Schedule::Shape::kCosine;
  if (name == "linear") return Schedule::Shape::kLinear;
  if (name == "step") return Schedule::Shape::kStep;
  return absl::InvalidArgumentError(
      absl::StrCat("unknown schedule \"", name, "\"; known are cosine, linear, step"));
}

}  // namespace nas
