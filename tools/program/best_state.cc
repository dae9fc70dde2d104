#include "tools/program/best_state.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/training/checkpoint.h"

namespace tools {

absl::StatusOr<bool> LoadBestState(const std::string& run_folder, distributed::Task& task,
                                   distributed::Communicator& communicator) {
  base::TensorMap state;
  const absl::Status read = [&]() -> absl::Status {
    if (communicator.rank() != 0) return absl::OkStatus();
    const distributed::CheckpointStore store(absl::StrCat(run_folder, "/checkpoints"), /*keep=*/1);
    ASSIGN_OR_RETURN(std::optional<distributed::Checkpoint> best, store.ReadBest());
    if (best.has_value()) state = std::move(best->state);
    return absl::OkStatus();
  }();
  RETURN_IF_ERROR(distributed::AgreeOnStatus(communicator, read));
  ASSIGN_OR_RETURN(state, distributed::BroadcastTensors(communicator, state));
  if (state.empty()) return false;
  RETURN_IF_ERROR(distributed::AgreeOnStatus(communicator, task.LoadState(state)));
  return true;
}

}  // namespace tools
