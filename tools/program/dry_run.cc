#include "tools/program/dry_run.h"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/run_origin.h"
#include "nlohmann/json.hpp"
#include "tools/flags/output_paths.h"

namespace tools {
namespace {

// The start of the run in words.
absl::StatusOr<std::string> DescribeStart(const distributed::TrainerOptions& options,
                                          const nlohmann::json& identity) {
  RETURN_IF_ERROR(RequireWritableFolder("run", options.run_folder));
  ASSIGN_OR_RETURN(const distributed::Checkpoint origin,
                   distributed::FindOrigin(options, identity));
  if (origin.description.empty()) return std::string("the beginning");
  return absl::StrCat("the checkpoint after step ",
                      origin.description["global_step"].get<int64_t>());
}

}  // namespace

absl::Status DescribeRun(const std::string& what, const distributed::Task& task,
                         const distributed::BatchSource& train,
                         distributed::Communicator& communicator,
                         const distributed::TrainerOptions& options) {
  const nlohmann::json identity = distributed::RunIdentity(task, options);
  RETURN_IF_ERROR(distributed::RequireSameRun(communicator, identity));
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts,
                   distributed::AllGatherStrings(communicator, communicator.place().host));
  const bool root = communicator.rank() == 0;
  const absl::StatusOr<std::string> start = root ? DescribeStart(options, identity) : std::string();
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
