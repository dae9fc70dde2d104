#include "distributed/training/run_origin.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/build_id.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/training/run_folder.h"

namespace distributed {

nlohmann::json RunIdentity(const Task& task, const TrainerOptions& options) {
  return {{"config", task.Config()},
          {"data", options.data},
          {"epochs", options.epochs},
          {"seed", options.seed},
          {"reproducible", options.reproducible}};
}

absl::Status RequireSameRun(Communicator& communicator, nlohmann::json identity) {
  identity["build"] = base::BuildId();
  return RequireSameJson(communicator, identity);
}

absl::StatusOr<Checkpoint> FindOrigin(const TrainerOptions& options,
                                      const nlohmann::json& identity) {
  ASSIGN_OR_RETURN(const RunFolder::Contents contents, RunFolder::Look(options.run_folder));
  std::optional<Checkpoint> found;
  if (options.resume == "auto") {
    if (contents.has_checkpoints) {
      ASSIGN_OR_RETURN(
          found, CheckpointStore(CheckpointsFolder(options.run_folder), options.keep_checkpoints)
                     .ReadNewest());
    }
  } else if (options.resume != "none") {
    ASSIGN_OR_RETURN(found, ReadCheckpoint(options.resume));
  } else if (!contents.results.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.run_folder, " holds a run already, with ", contents.results.back(),
                     ": resume it, or choose another folder"));
  }
  if (!found.has_value()) return Checkpoint{{}, nlohmann::json::object()};
  const std::string difference =
      JsonDifference(found->description["identity"], "in the checkpoint", identity, "now");
  if (!difference.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("cannot resume: ", difference));
  }
  return *std::move(found);
}

}  // namespace distributed
