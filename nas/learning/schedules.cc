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

double Schedule::Rate(int epoch, double epoch_share) const {
  if (shape == Shape::kConstant) return base;
  CHECK(0 <= epoch && epoch < epochs) << "epoch " << epoch << " of " << epochs;
  const double done = epoch + (by_step ? epoch_share : 1);
  if (epoch < warmup_epochs) return base * done / warmup_epochs;
  switch (shape) {
    case Shape::kCosine:
      // At the minimum a run of one epoch would learn nothing.
      if (epochs == 1 && !by_step) return base;
      return minimum + (base - minimum) * (1 + std::cos(std::numbers::pi * done / epochs)) / 2;
    case Shape::kLinear: {
      constexpr int kTail = 5;
      CHECK_GT(epochs, kTail);
      const double left = epochs + 1 - done;
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
  nlohmann::json json = {
      {"shape", ShapeName(schedule.shape)},
      {"base", schedule.base},
      {"minimum", schedule.minimum},
      {"epochs", schedule.epochs},
      {"warmup_epochs", schedule.warmup_epochs},
      {"decay", schedule.decay},
      {"decay_epochs", schedule.decay_epochs},
  };
  // Absent in the configurations of checkpoints older than the field.
  if (schedule.by_step) json["by_step"] = true;
  return json;
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
