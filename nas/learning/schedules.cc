#include "nas/learning/schedules.h"

#include <cmath>
#include <numbers>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

const char* ShapeName(Schedule::Shape shape) {
  switch (shape) {
    case Schedule::Shape::kCosine:
      return "cosine";
    case Schedule::Shape::kLinear:
      return "linear";
    case Schedule::Shape::kStep:
      return "step";
    case Schedule::Shape::kConstant:
      return "constant";
  }
  LOG(FATAL) << "unknown schedule shape";
}

}  // namespace

double Schedule::Rate(int epoch) const {
  if (shape == Shape::kConstant) return base;
  CHECK(0 <= epoch && epoch < epochs) << "epoch " << epoch << " of " << epochs;
  if (epoch < warmup_epochs) return base * (epoch + 1) / warmup_epochs;
  switch (shape) {
    case Shape::kCosine:
      if (epochs == 1) return base;  // At the minimum a run of one epoch would learn nothing.
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
    case Shape::kConstant:
      break;
  }
  LOG(FATAL) << "unknown schedule shape";
}

nlohmann::json ToJson(const Schedule& schedule) {
  return {
      {"shape", ShapeName(schedule.shape)},
      {"base", schedule.base},
      {"minimum", schedule.minimum},
      {"epochs", schedule.epochs},
      {"warmup_epochs", schedule.warmup_epochs},
      {"decay", schedule.decay},
      {"decay_epochs", schedule.decay_epochs},
  };
}

absl::StatusOr<Schedule::Shape> ParseScheduleShape(absl::string_view name) {
  for (const auto shape : {Schedule::Shape::kCosine, Schedule::Shape::kLinear,
                           Schedule::Shape::kStep, Schedule::Shape::kConstant}) {
    if (name == ShapeName(shape)) return shape;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown schedule \"", name, "\"; known are cosine, linear, step, constant"));
}

}  // namespace nas
