#include "tools/flags/optimizer_flags.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_values.h"

DEFINE_double(weight_lr, 0.1, "Learning rate of the weights at the beginning.");
FLAG_RANGE(weight_lr, tools::Above(0));
DEFINE_double(weight_lr_min, 0, "Where a cosine of it ends.");
FLAG_RANGE(weight_lr_min, tools::AtLeast(0));
DEFINE_string(lr_schedule, "cosine", "How it falls.");
FLAG_CHOICES(lr_schedule, {"constant", "cosine", "linear", "step"});
DEFINE_double(lr_decay, 0.1, "Factor of a step.");
FLAG_RANGE(lr_decay, tools::AboveTo(0, 1));
DEFINE_int32(lr_decay_epochs, 15, "Epochs between two steps.");
FLAG_RANGE(lr_decay_epochs, tools::FromTo(1, 1e6));
DEFINE_int32(warmup_epochs, 0,
             "Epochs in which the learning rate rises linearly to its beginning.");
FLAG_RANGE(warmup_epochs, tools::FromTo(0, 1e6));
DEFINE_bool(lr_by_step, false, "Warm-up, cosine and line move with every step, not once an epoch.");
DEFINE_double(momentum, 0.9, "Momentum of SGD.");
FLAG_RANGE(momentum, tools::FromBelow(0, 1));
DEFINE_double(weight_decay, 3e-4, "Weight decay of the weights.");
FLAG_RANGE(weight_decay, tools::AtLeast(0));
DEFINE_double(grad_clip, 5, "Bound of the gradient's norm over all weights; 0: none.");
FLAG_RANGE(grad_clip, tools::AtLeast(0));

namespace tools {

absl::StatusOr<SgdFlags> SgdFromFlags(int64_t epochs) {
  ASSIGN_OR_RETURN(const nas::Schedule::Shape shape,
                   ValueOfFlag("lr_schedule", nas::ParseScheduleShape(FLAGS_lr_schedule)));
  if (shape == nas::Schedule::Shape::kLinear && epochs <= 5) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lr_schedule=linear: needs more than 5 epochs, there are ", epochs));
  }
  if (shape == nas::Schedule::Shape::kCosine && FLAGS_weight_lr_min > FLAGS_weight_lr) {
    return absl::InvalidArgumentError(absl::StrCat("--weight_lr_min=", FLAGS_weight_lr_min,
                                                   ": is above --weight_lr=", FLAGS_weight_lr));
  }
  if (FLAGS_warmup_epochs > epochs) {
    return absl::InvalidArgumentError(absl::StrCat("--warmup_epochs=", FLAGS_warmup_epochs,
                                                   ": there are only ", epochs, " epochs"));
  }
  return SgdFlags{.rate = {.shape = shape,
                           .base = FLAGS_weight_lr,
                           .minimum = FLAGS_weight_lr_min,
                           .epochs = static_cast<int>(epochs),
                           .warmup_epochs = FLAGS_warmup_epochs,
                           .decay = FLAGS_lr_decay,
                           .decay_epochs = FLAGS_lr_decay_epochs,
                           .by_step = FLAGS_lr_by_step},
                  .momentum = FLAGS_momentum,
                  .weight_decay = FLAGS_weight_decay,
                  .grad_clip = FLAGS_grad_clip};
}

}  // namespace tools
