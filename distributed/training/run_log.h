// What a run tells while it goes on: metrics.jsonl, bad_samples.jsonl, log.txt and the terminal.
#ifndef DISTRIBUTED_TRAINING_RUN_LOG_H_
#define DISTRIBUTED_TRAINING_RUN_LOG_H_

#include <stdio.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"

namespace distributed {

class RunLog {
 public:
  // Continues the files in `folder` at `global_step`: lines of metrics.jsonl from later steps,
  // which the run is about to write again, and a line cut short are dropped.
  // bad_samples.jsonl, which is made when it is needed, holds the entries of `bad_samples`.
  static absl::StatusOr<std::unique_ptr<RunLog>> Open(const std::string& folder,
                                                      int64_t global_step,
                                                      const nlohmann::json& bad_samples);

  // Appends an object, which has a "global_step", to metrics.jsonl.
  absl::Status AddMetrics(const nlohmann::json& line);

  // Appends the objects in this list to bad_samples.jsonl.
  absl::Status AddBadSamples(const nlohmann::json& list);

  // Appends a line to log.txt and shows it. On a terminal a line of progress replaces the last one.
  absl::Status AddLine(absl::string_view line);
  absl::Status AddProgress(absl::string_view line);

 private:
  using File = std::unique_ptr<FILE, int (*)(FILE*)>;

  RunLog(std::string folder, File metrics, File log);

  absl::Status Append(const File& file, const char* name, absl::string_view line);

  const std::string folder_;
  const File metrics_;
  const File log_;
  const bool on_terminal_;
  bool progress_shown_ = false;  // The terminal's last line is one of progress.
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_LOG_H_
