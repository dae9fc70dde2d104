// Learning rates in closed form: a rate depends on nothing but the epoch's number and, if it is to
// change by step, the step's place in it, so a resumed run continues exactly.
//
//   Schedule schedule{.shape = Schedule::Shape::kCosine, .base = 0.1, .epochs = 50};
//   optimizer.set_lr(schedule.Rate(epoch));
#ifndef NAS_LEARNING_SCHEDULES_H_
#define NAS_LEARNING_SCHEDULES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

struct Schedule {
  enum class Shape {
    // minimum + (base - minimum) (1 + cos(pi (e + 1) / epochs)) / 2. The published code advances
    // its scheduler before each epoch, hence e + 1: the last epoch has the minimum.
    kCosine,
    // base (E - 5 - e) / (E - 5) while E - e > 5, then base (E - e) / (5 (E - 5)), with E = epochs:
    // almost to zero, then a slow tail (PC-DARTS retraining on ImageNet).
    kLinear,
    // base * decay^floor(e / decay_epochs) (EdMIPS).
    kStep,
    // base, whatever the epoch.
    kConstant,
  };

  Shape shape = Shape::kCosine;
  double base = 0;
  double minimum = 0;     // kCosine only.
  int epochs = 1;         // kLinear needs more than 5.
  int warmup_epochs = 0;  // Epochs e < warmup_epochs have base (e + 1) / warmup_epochs instead.
  double decay = 0.1;     // kStep only.
  int decay_epochs = 15;  // kStep only.
  // Whether warm-up, cosine and line move with every step: e + 1 above becomes e + the share of the
  // epoch that is done after the step. Few epochs lose much by steps of a whole one.
  bool by_step = false;

  // The rate of a step of epoch `epoch`, counted from 0 and below `epochs`; `epoch_share`, in
  // (0, 1], counts only `by_step`.
  double Rate(int epoch, double epoch_share = 1) const;
};

// Every field by its name; `by_step` only where it holds.
nlohmann::json ToJson(const Schedule& schedule);

// "cosine", "linear", "step" or "constant"; InvalidArgument, naming these, for anything else.
absl::StatusOr<Schedule::Shape> ParseScheduleShape(absl::string_view name);

}  // namespace nas

#endif  // NAS_LEARNING_SCHEDULES_H_
