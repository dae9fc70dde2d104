#include "tools/flags/optimizer_flags.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_values.h"

DEFINE_double(lr, 0.1, "Learning rate of the weights at the beginning.");
DEFINE_string(lr_schedule, "cosine", "How it falls: cosine, linear or step.");
DEFINE_double(lr_min, 0, "Where a cosine ends.");
DEFINE_double(lr_decay, 0.1, "Factor of a step.");
DEFINE_int32(lr_decay_epochs, 15, "Epochs between two steps.");
DEFINE_int32(warmup_epochs, 0, "Epochs in which the learning rate rises linearly to --lr.");
DEFINE_double(momentum, 0.9, "Momentum of SGD.");
DEFINE_double(weight_decay, 3e-4, "Weight decay.");
DEFINE_double(grad_clip, 5, "Bound of the gradient's norm over all weights.");

namespace tools {

absl::StatusOr<SgdFlags> SgdFromFlags(int64_t epochs) {
  ASSIGN_OR_RETURN(const nas::Schedule::Shape shape,
                   ValueOfFlag("lr_schedule", nas::ParseScheduleShape(FLAGS_lr_schedule)));
  if (shape == nas::Schedule::Shape::kLinear && epochs <= 5) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lr_schedule=linear: needs more than 5 epochs, there are ", epochs));
  }
  if (FLAGS_lr <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("--lr=", FLAGS_lr, ": must be positive"));
  }
  if (FLAGS_grad_clip <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--grad_clip=", FLAGS_grad_clip, ": must be positive"));
  }
  if (FLAGS_lr_decay_epochs < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lr_decay_epochs=", FLAGS_lr_decay_epochs, ": must be at least 1"));
  }
  return SgdFlags{.rate = {.shape = shape,
                           .base = FLAGS_lr,
                           .minimum = FLAGS_lr_min,
                           .epochs = static_cast<int>(epochs),
                           .warmup_epochs = FLAGS_warmup_epochs,
                           .decay = FLAGS_lr_decay,
                           .decay_epochs = FLAGS_lr_decay_epochs},
                  .momentum = FLAGS_momentum,
                  .weight_decay = FLAGS_weight_decay,
                  .grad_clip = FLAGS_grad_clip};
}

}  // namespace tools
