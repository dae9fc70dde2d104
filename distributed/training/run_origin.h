// Where a run starts, and what must not have changed since: asked by the run itself and by who only
// wants to know.
#ifndef DISTRIBUTED_TRAINING_RUN_ORIGIN_H_
#define DISTRIBUTED_TRAINING_RUN_ORIGIN_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/task.h"
#include "distributed/training/trainer_options.h"
#include "nlohmann/json.hpp"

namespace distributed {

// What decides the result of a run. A checkpoint has it, and only a run of the same goes on with
// it.
nlohmann::json RunIdentity(const Task& task, const TrainerOptions& options);

// FailedPrecondition, with both values, if `identity` or the build differ between ranks. Every rank
// calls it.
absl::Status RequireSameRun(Communicator& communicator, nlohmann::json identity);

// The checkpoint that options.resume asks for; one without a description for the beginning. Changes
// nothing. FailedPrecondition if it is of another identity, or if the run folder is somebody
// else's, or holds what a run from the beginning would destroy.
absl::StatusOr<Checkpoint> FindOrigin(const TrainerOptions& options,
                                      const nlohmann::json& identity);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_ORIGIN_H_
