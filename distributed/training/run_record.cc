#include "distributed/training/run_record.h"

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/build_id.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "distributed/training/run_origin.h"

namespace distributed {
namespace {

// Of config.json and metrics.jsonl (docs/metrics.md); the version grows when old readers err.
constexpr char kRunFormat[] = "nqdarts run";
constexpr int kRunVersion = 1;

}  // namespace

RunRecord::RunRecord(const TrainerOptions& options, nlohmann::json identity)
    : options_(options),
      identity_(std::move(identity)),
      store_(CheckpointsFolder(options.run_folder), options.keep_checkpoints),
      writer_(&store_) {}

absl::StatusOr<std::unique_ptr<RunRecord>> RunRecord::Open(const TrainerOptions& options,
                                                           nlohmann::json identity,
                                                           const std::string& host) {
  auto record = absl::WrapUnique(new RunRecord(options, std::move(identity)));
  ASSIGN_OR_RETURN(record->folder_, RunFolder::Open(options.run_folder, host, {}));
  return record;
}

absl::StatusOr<Checkpoint> RunRecord::FindOrigin() {
  // A writer that was killed may have left its newest checkpoint under another name.
  if (options_.resume == "auto" && folder_->has_run()) RETURN_IF_ERROR(store_.Open());
  return distributed::FindOrigin(options_, identity_);
}

absl::Status RunRecord::Begin(const nlohmann::json& origin_description,
                              const nlohmann::ordered_json& environment) {
  const int64_t start = origin_description.value("global_step", int64_t{0});
  RETURN_IF_ERROR(store_.Open());
  ASSIGN_OR_RETURN(const std::string aside, store_.SetLaterAside(start));
  const std::string metrics = absl::StrCat(options_.run_folder, "/metrics.jsonl");
  if (!aside.empty()) {
    // Their metrics go with them; the run writes its own from here on.
    if (const absl::StatusOr<std::string> text = base::ReadFile(metrics); text.ok()) {
      RETURN_IF_ERROR(base::WriteFileAtomically(absl::StrCat(aside, "/metrics.jsonl"), *text));
    }
  }
  ASSIGN_OR_RETURN(log_,
                   RunLog::Open(options_, start,
                                origin_description.value("bad_samples", nlohmann::json::array())));
  const nlohmann::ordered_json config = {
      {"format", kRunFormat},  {"version", kRunVersion},     {"settings", options_.settings},
      {"identity", identity_}, {"environment", environment}, {"build", base::BuildId()}};
  const auto replace = nlohmann::json::error_handler_t::replace;  // Paths need not be UTF-8.
  RETURN_IF_ERROR(base::WriteFileAtomically(absl::StrCat(options_.run_folder, "/config.json"),
                                            config.dump(/*indent=*/1, ' ', false, replace) + "\n"));
  if (!options_.settings_text.empty()) RETURN_IF_ERROR(log_->AddLine(options_.settings_text));
  if (!options_.arithmetic.empty()) {
    RETURN_IF_ERROR(log_->AddLine("arithmetic " + options_.arithmetic));
  }
  if (start > 0) RETURN_IF_ERROR(log_->AddLine(absl::StrCat("resumed after ", start, " steps")));
  if (!aside.empty()) {
    RETURN_IF_ERROR(log_->AddLine(absl::StrCat("later checkpoints were put aside: ", aside)));
  }
  const std::string build = origin_description.value("build", base::BuildId());
  if (build != base::BuildId()) {
    RETURN_IF_ERROR(log_->AddLine(absl::StrCat("the checkpoint is of another build, ", build)));
  }
  folder_->Keep();
  return absl::OkStatus();
}

absl::Status RunRecord::StartCheckpoint(int64_t step, base::TensorMap state,
                                        nlohmann::json description, std::optional<double> score) {
  RETURN_IF_ERROR(folder_->Check());
  description["global_step"] = step;
  description["identity"] = identity_;
  description["build"] = base::BuildId();
  return writer_.Start(step, {std::move(state), std::move(description)}, score);
}

absl::Status RunRecord::LastCheck() {
  RETURN_IF_ERROR(folder_->LastCheck());
  return writer_.Check();
}

}  // namespace distributed
