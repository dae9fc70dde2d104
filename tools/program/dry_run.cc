#include "tools/program/dry_run.h"

#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/build_id.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/training/checkpoint.h"
#include "nlohmann/json.hpp"
#include "tools/flags/output_paths.h"

namespace tools {
namespace {

// The checkpoints in the run folder; none if there is no such folder.
int CountCheckpoints(const std::string& run_folder) {
  int count = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat(run_folder, "/checkpoints"), error)) {
    count += absl::StartsWith(entry.path().filename().string(), "step_") ? 1 : 0;
  }
  return count;
}

// The start of the run in words.
absl::StatusOr<std::string> DescribeStart(const distributed::TrainerOptions& options) {
  RETURN_IF_ERROR(RequireWritableFolder("run", options.run_folder));
  const int checkpoints = CountCheckpoints(options.run_folder);
  if (options.resume == "auto") {
    if (checkpoints == 0) return std::string("the beginning: there is no checkpoint yet");
    return absl::StrCat("the newest whole one of ", checkpoints, " checkpoints");
  }
  if (options.resume != "none") {
    RETURN_IF_ERROR(distributed::ReadCheckpoint(options.resume).status());
    return options.resume;
  }
  if (checkpoints == 0) return std::string("the beginning");
  return absl::FailedPreconditionError(
      absl::StrCat(options.run_folder, " holds a run already, with ", checkpoints,
                   " checkpoints: resume it, or choose another folder"));
}

}  // namespace

absl::Status DescribeRun(const std::string& what, const distributed::Task& task,
                         const distributed::BatchSource& train,
                         distributed::Communicator& communicator,
                         const distributed::TrainerOptions& options) {
  RETURN_IF_ERROR(distributed::RequireSameJson(communicator, {{"config", task.Config()},
                                                              {"data", options.data},
                                                              {"epochs", options.epochs},
                                                              {"seed", options.seed},
                                                              {"build", base::BuildId()}}));
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts,
                   distributed::AllGatherStrings(communicator, communicator.place().host));
  const bool root = communicator.rank() == 0;
  const absl::StatusOr<std::string> start = root ? DescribeStart(options) : std::string();
  RETURN_IF_ERROR(distributed::AgreeOnStatus(communicator, start.status()));
  if (!root) return absl::OkStatus();

  absl::PrintF("would run    %s\n", what);
  absl::PrintF("ranks        %d on %s\n", communicator.size(),
               absl::StrJoin(std::set<std::string>(hosts.begin(), hosts.end()), ", "));
  absl::PrintF("steps        %d epochs of %d\n", options.epochs, train.steps_per_epoch());
  absl::PrintF("run folder   %s\n", options.run_folder);
  absl::PrintF("starts from  %s\n", *start);
  absl::PrintF("%s\n", options.settings_text);
  return absl::OkStatus();
}

}  // namespace tools
