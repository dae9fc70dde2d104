// What a run tells while it goes on: metrics.jsonl, events for TensorBoard, bad_samples.jsonl,
// log.txt and the terminal.
#ifndef DISTRIBUTED_TRAINING_RUN_LOG_H_
#define DISTRIBUTED_TRAINING_RUN_LOG_H_

#include <stdio.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/picture.h"
#include "distributed/training/event_file.h"
#include "distributed/training/progress.h"
#include "distributed/training/run_display.h"
#include "distributed/training/trainer_options.h"
#include "nlohmann/json_fwd.hpp"

namespace distributed {

class RunLog {
 public:
  // Continues the files in options.run_folder at `global_step`: lines of metrics.jsonl from later
  // steps, which the run is about to write again, and a line cut short are dropped.
  // bad_samples.jsonl, which is made when it is needed, holds the entries of `bad_samples`.
  static absl::StatusOr<std::unique_ptr<RunLog>> Open(const TrainerOptions& options,
                                                      int64_t global_step,
                                                      const nlohmann::json& bad_samples);

  // Appends `metrics`, of the kind that docs/metrics.md knows, to metrics.jsonl and to the events.
  absl::Status AddMetrics(const std::string& kind, int64_t epoch, int64_t global_step,
                          nlohmann::json metrics);

  // Appends pictures by their tags to the events.
  absl::Status AddPictures(int64_t global_step,
                           const std::map<std::string, base::Picture>& pictures);

  // Appends the objects in this list to bad_samples.jsonl.
  absl::Status AddBadSamples(const nlohmann::json& list);

  // Appends a line to log.txt and shows it.
  absl::Status AddLine(absl::string_view line);

  // Likewise ProgressLine, and EvaluationLine if there was an evaluation; a terminal shows them as
  // its RunDisplay does.
  absl::Status AddReport(const Progress& progress);
  absl::Status AddEpoch(const EpochResult& result);

  // Shows a step between two reports.
  void ShowStep(const Progress& progress) { display_.ShowStep(progress); }

 private:
  using File = std::unique_ptr<FILE, int (*)(FILE*)>;

  RunLog(const TrainerOptions& options, File metrics, File log, std::unique_ptr<EventFile> events);

  absl::Status Append(const File& file, const char* name, absl::string_view line);

  const std::string folder_;
  const File metrics_;
  const File log_;
  const std::unique_ptr<EventFile> events_;  // Null if none are wanted.
  RunDisplay display_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_LOG_H_
