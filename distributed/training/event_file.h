// A run as TensorBoard reads it: a file of event records beside metrics.jsonl.
//
//   ASSIGN_OR_RETURN(auto events, EventFile::Create("runs/search", /*global_step=*/0));
//   RETURN_IF_ERROR(events->AddMetrics("epoch", 120, {{"loss", 0.5}, {"logits", {…}}}));
//
// A record: length, its checksum, a serialized tensorflow.Event, its checksum (TensorFlow's
// tfrecord; event.proto and summary.proto name the fields).
#ifndef DISTRIBUTED_TRAINING_EVENT_FILE_H_
#define DISTRIBUTED_TRAINING_EVENT_FILE_H_

#include <stdio.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/picture.h"
#include "nlohmann/json_fwd.hpp"

namespace distributed {

class EventFile {
 public:
  static constexpr absl::string_view kPrefix = "events.out.tfevents.";

  // Begins a file in `folder`. Readers drop what earlier files have of steps after `global_step`,
  // which the run is about to write again; at the beginning of a run, those files are removed.
  static absl::StatusOr<std::unique_ptr<EventFile>> Create(const std::string& folder,
                                                           int64_t global_step);

  // Every number in the object `metrics` becomes a scalar "kind/name", every list, however it
  // nests, a histogram of its numbers, every object within as "kind/name/…"; the rest is passed
  // over.
  absl::Status AddMetrics(const std::string& kind, int64_t global_step,
                          const nlohmann::json& metrics);

  // By their tags.
  absl::Status AddPictures(int64_t global_step,
                           const std::map<std::string, base::Picture>& pictures);

 private:
  using File = std::unique_ptr<FILE, int (*)(FILE*)>;

  EventFile(std::string path, File file) : path_(std::move(path)), file_(std::move(file)) {}

  absl::Status Write(const std::string& event);

  const std::string path_;
  const File file_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_EVENT_FILE_H_
