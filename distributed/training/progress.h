// How far a run is, in words: plain lines for files, a bar and a table for terminals.
#ifndef DISTRIBUTED_TRAINING_PROGRESS_H_
#define DISTRIBUTED_TRAINING_PROGRESS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace distributed {

// Within an epoch.
struct Progress {
  int64_t epoch = 1;  // From 1.
  int64_t epochs = 1;
  int64_t step = 0;  // Done in this epoch.
  int64_t steps = 1;
  std::map<std::string, double> means = {};        // Since the report before the last one.
  double images_per_second = 0;                    // Likewise; 0 before the first report.
  absl::Duration left = absl::InfiniteDuration();  // To the end of the run, at this rate.
};

// "epoch 2/50 step 8/20"
std::string Position(const Progress& progress);

// Position, every mean, rate and time left.
std::string ProgressLine(const Progress& progress);

// "epoch 2/50 [####......]  40% 812 images/s, 0:12:33 left, loss 1.234, accuracy 0.567": at most
// `width` columns of ASCII. The metrics are the few that matter, and give way first, then the bar.
std::string ProgressBar(const Progress& progress, int width);

// "0:12:33", "2 d 03:04:05"; "?" for an infinite one.
std::string ShortDuration(absl::Duration duration);

// An epoch that is over, with its evaluation, if there was one.
struct EpochResult {
  int64_t epoch = 1;  // From 1.
  int64_t epochs = 1;
  absl::Duration took = {};
  std::map<std::string, double> means = {};       // Of the training.
  std::map<std::string, double> evaluation = {};  // Empty without one.
  int64_t judged = 0;                        // Samples that the evaluation is of,
  int64_t samples = 0;                       // and those that there are.
};

// "evaluation after epoch 2/50 accuracy 0.5670 loss 1.2340", with " of 99 of 100 samples" if not
// all were judged.
std::string EvaluationLine(const EpochResult& result);

// The epoch as a line of a table, and the line above such lines: the columns are as wide in both.
struct TableLine {
  std::string header;
  std::string row;
};
TableLine EpochTableLine(const EpochResult& result);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_PROGRESS_H_
