// Writes checkpoints on a thread of its own, so that steps go on meanwhile.
//
//   CheckpointWriter writer(&store);
//   RETURN_IF_ERROR(writer.Start(step, {task.State(), description}, accuracy));
//   ... a step ...
//   RETURN_IF_ERROR(writer.Check());
//   ... at the end ...
//   RETURN_IF_ERROR(writer.Finish());
#ifndef DISTRIBUTED_TRAINING_CHECKPOINT_WRITER_H_
#define DISTRIBUTED_TRAINING_CHECKPOINT_WRITER_H_

#include <cstdint>
#include <future>
#include <optional>

#include "absl/status/status.h"
#include "distributed/training/checkpoint.h"

namespace distributed {

// For one thread at a time. Its end waits for the checkpoint that is being written.
class CheckpointWriter {
 public:
  // `store` outlives it, and is not used while a checkpoint is written.
  explicit CheckpointWriter(CheckpointStore* store) : store_(*store) {}

  // Copies the state into this host's memory and returns; CheckpointStore::Write is another
  // thread's. A checkpoint that is still being written is waited for; its error is returned, and no
  // other begun.
  absl::Status Start(int64_t step, const Checkpoint& checkpoint, std::optional<double> score);

  // The error of the last checkpoint, if it has been written. Does not wait.
  absl::Status Check();

  // The same; waits.
  absl::Status Finish();

 private:
  CheckpointStore& store_;
  std::future<absl::Status> writing_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_CHECKPOINT_WRITER_H_
