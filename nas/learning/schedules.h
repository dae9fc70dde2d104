// Learning rates by epoch, in closed form: the rate of an epoch depends on nothing but its number,
// so a resumed run continues exactly.
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

  // The rate of all steps of epoch `epoch`, counted from 0 and below `epochs`.
  double Rate(int epoch) const;
};

// Every field by its name.
nlohmann::json ToJson(const Schedule& schedule);

// "cosine", "linear", "step" or "constant"; InvalidArgument, naming these, for anything else.
absl::StatusOr<Schedule::Shape> ParseScheduleShape(absl::string_view name);

}  // namespace nas

#endif  // NAS_LEARNING_SCHEDULES_H_
