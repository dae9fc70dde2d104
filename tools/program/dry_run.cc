#include "tools/program/dry_run.h"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/progress.h"
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

void PrintCost(const RunEstimate& estimate, int64_t steps) {
  if (estimate.step_seconds == 0) {
    absl::PrintF("time         not known: steps are tried on the CPU only\n");
    return;
  }
  const absl::Duration time = absl::Seconds(estimate.step_seconds * static_cast<double>(steps));
  absl::PrintF("memory       %.3g GB of tensors for each rank\n", estimate.rank_bytes * 1e-9);
  absl::PrintF("time         about %s, %.3g s a step: computing alone, by small steps tried now\n",
               distributed::ShortDuration(time), estimate.step_seconds);
}

}  // namespace

absl::Status DescribeRun(const std::string& what, const RunEstimate& estimate,
                         const distributed::Task& task, const distributed::BatchSource& train,
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
  absl::PrintF("network      %d parameters, %.4g M multiply-adds an image\n", estimate.parameters,
               estimate.multiply_adds * 1e-6);
  absl::PrintF("ranks        %d on %s\n", communicator.size(),
               absl::StrJoin(std::set<std::string>(hosts.begin(), hosts.end()), ", "));
  const int64_t steps = options.epochs * train.steps_per_epoch();
  absl::PrintF("steps        %d epochs of %d, in all %d\n", options.epochs, train.steps_per_epoch(),
               steps);
  PrintCost(estimate, steps);
  absl::PrintF("run folder   %s\n", options.run_folder);
  absl::PrintF("starts from  %s\n", *start);
  absl::PrintF("%s\n", options.settings_text);
  return absl::OkStatus();
}

}  // namespace tools
