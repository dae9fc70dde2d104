// The state of a run that was best in evaluation, among those that its folder keeps.
#ifndef TOOLS_PROGRAM_BEST_STATE_H_
#define TOOLS_PROGRAM_BEST_STATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/task.h"

namespace tools {

// Gives `task`, on every rank, the state of the checkpoint with the highest accuracy in
// `run_folder`, which rank 0 reads. False, and nothing changes, if none was evaluated. DataLoss,
// on every rank, naming the file, if that checkpoint is damaged.
absl::StatusOr<bool> LoadBestState(const std::string& run_folder, distributed::Task& task,
                                   distributed::Communicator& communicator);

}  // namespace tools

#endif  // TOOLS_PROGRAM_BEST_STATE_H_
