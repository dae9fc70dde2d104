// What rank 0 keeps of a run in its folder: where it starts from, its checkpoints, its log.
#ifndef DISTRIBUTED_TRAINING_RUN_RECORD_H_
#define DISTRIBUTED_TRAINING_RUN_RECORD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/checkpoint_writer.h"
#include "distributed/training/run_folder.h"
#include "distributed/training/run_log.h"
#include "distributed/training/trainer_options.h"
#include "nlohmann/json.hpp"

namespace distributed {

class RunRecord {
 public:
  // Takes hold of options.run_folder for a run of this `identity` (what decides its result) on
  // `host`. Until Begin() nothing in the folder changes, and a new one goes with the object.
  static absl::StatusOr<std::unique_ptr<RunRecord>> Open(const TrainerOptions& options,
                                                         nlohmann::json identity,
                                                         const std::string& host);

  // distributed::FindOrigin(), after what a killed writer left was cleared up.
  absl::StatusOr<Checkpoint> FindOrigin();

  // The run starts from what FindOrigin() returned, in this RunEnvironment().
  absl::Status Begin(const nlohmann::json& origin_description,
                     const nlohmann::ordered_json& environment);

  // Begins a checkpoint of `step`, of which a copy is taken (CheckpointWriter::Start);
  // `description` is completed with identity and build.
  absl::Status StartCheckpoint(int64_t step, base::TensorMap state, nlohmann::json description,
                               std::optional<double> score);

  // Waits for it.
  absl::Status FinishCheckpoint() { return writer_.Finish(); }

  // OK as long as the folder is this run's alone, as far as is known (RunLock::LastCheck), and the
  // last checkpoint, if it is done, was written.
  absl::Status LastCheck();

  // After Begin().
  RunLog& log() { return *log_; }

 private:
  RunRecord(const TrainerOptions& options, nlohmann::json identity);

  const TrainerOptions& options_;
  const nlohmann::json identity_;
  std::unique_ptr<RunFolder> folder_;
  CheckpointStore store_;
  CheckpointWriter writer_;
  std::unique_ptr<RunLog> log_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_RECORD_H_
