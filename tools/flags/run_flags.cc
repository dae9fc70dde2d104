#include "tools/flags/run_flags.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/arithmetic.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "tools/flags/device_flags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/seed_flag.h"
#include "tools/flags/settings_text.h"
#include "tools/flags/tool.h"

DEFINE_string(run, "",
              "Run folder: configuration, log, metrics, checkpoints and results go there.");
DEFINE_string(
    resume, "none",
    "Where to start: none, auto (the newest whole checkpoint of the run folder, if any) or "
    "the path of a checkpoint.");
DEFINE_int64(epochs, 50, "Passes over the training data.");
FLAG_RANGE(epochs, tools::FromTo(1, 1e6));
DEFINE_int64(report_steps, 50, "Steps between two lines of progress.");
FLAG_RANGE(report_steps, tools::FromTo(1, tools::kMany));
DEFINE_int64(checkpoint_steps, 0, "Steps between two checkpoints within an epoch; 0: never.");
FLAG_RANGE(checkpoint_steps, tools::FromTo(0, tools::kMany));
DEFINE_double(checkpoint_minutes, 15, "Minutes between two checkpoints within an epoch.");
FLAG_RANGE(checkpoint_minutes, tools::Above(0));
DEFINE_int32(keep_checkpoints, 3, "How many checkpoints to keep besides the best one.");
FLAG_RANGE(keep_checkpoints, tools::FromTo(1, 1e6));
DEFINE_bool(verbose, false,
            "On a terminal, too, a line with every metric for each report, as in log.txt, in place "
            "of a bar and a line for each epoch.");
DEFINE_bool(tensorboard, true, "Write a file of events for TensorBoard into the run folder, too.");
DEFINE_bool(
    check_ranks, false,
    "After every step, compare all state between ranks and name the first tensor that differs.");

namespace tools {

absl::StatusOr<distributed::TrainerOptions> TrainerOptionsFromFlags() {
  RETURN_IF_ERROR(ArithmeticFromFlags());
  if (FLAGS_run.empty()) return absl::InvalidArgumentError("--run: the run folder is required");
  if (std::error_code error; FLAGS_resume != "none" && FLAGS_resume != "auto" &&
                             !std::filesystem::is_directory(FLAGS_resume, error)) {
    return absl::NotFoundError(absl::StrCat("--resume=", FLAGS_resume,
                                            ": neither none nor auto, and no checkpoint's folder"));
  }
  distributed::TrainerOptions options;
  options.run_folder = FLAGS_run;
  options.epochs = FLAGS_epochs;
  options.seed = SeedFromFlags();
  options.report_every_steps = FLAGS_report_steps;
  options.checkpoint_every_steps = FLAGS_checkpoint_steps;
  options.checkpoint_interval = absl::Minutes(FLAGS_checkpoint_minutes);
  options.keep_checkpoints = FLAGS_keep_checkpoints;
  options.resume = FLAGS_resume;
  options.check_ranks = FLAGS_check_ranks;
  if (IsQuiet() && FLAGS_verbose) {
    return absl::InvalidArgumentError("--verbose: contradicts --quiet");
  }
  using Show = distributed::TrainerOptions::Show;
  options.show = IsQuiet() ? Show::kNothing : FLAGS_verbose ? Show::kLines : Show::kBar;
  options.tensorboard = FLAGS_tensorboard;
  options.settings = EffectiveFlags();
  options.settings_text = SettingsText();
  options.reproducible = ReproducibleFromFlags();
  options.arithmetic = base::DescribeArithmetic();
  return options;
}

std::string InRunFolder(const std::string& name) { return absl::StrCat(FLAGS_run, "/", name); }

}  // namespace tools
