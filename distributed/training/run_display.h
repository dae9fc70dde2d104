// What standard output shows of a run: nothing, plain lines, or on a terminal a bar that is drawn
// anew and a table of the epochs.
#ifndef DISTRIBUTED_TRAINING_RUN_DISPLAY_H_
#define DISTRIBUTED_TRAINING_RUN_DISPLAY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "distributed/training/progress.h"
#include "distributed/training/trainer_options.h"

namespace distributed {

class RunDisplay {
 public:
  // Where standard output is no terminal, kBar is kLines.
  explicit RunDisplay(TrainerOptions::Show show);
  ~RunDisplay();  // What is shown next begins a line.
  RunDisplay(const RunDisplay&) = delete;
  RunDisplay& operator=(const RunDisplay&) = delete;

  void ShowLine(absl::string_view line);
  // A report of the run, as ProgressLine or ProgressBar.
  void ShowReport(const Progress& progress);
  // Between reports: the bar moves, at most ten times a second.
  void ShowStep(const Progress& progress);
  // As EvaluationLine, if there was an evaluation, or a line of the table.
  void ShowEpoch(const EpochResult& result);

 private:
  void DrawBar(const Progress& progress);

  const TrainerOptions::Show show_;
  bool bar_is_shown_ = false;  // The terminal's last line is one.
  absl::Time drawn_ = absl::InfinitePast();
  std::string header_;  // Of the table's last line.
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_DISPLAY_H_
