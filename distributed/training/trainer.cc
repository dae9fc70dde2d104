#include "distributed/training/trainer.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ATen/Context.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/build_id.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/communication/status_exception.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/metric_totals.h"
#include "distributed/training/run_log.h"
#include "distributed/training/stop_signal.h"
#include "glog/logging.h"
#include "xxhash.h"

namespace distributed {
namespace {

// The result of `body`, whose exceptions (LibTorch's, and ours that passed through LibTorch) become
// errors.
template <typename Body>
auto CatchErrors(const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const StatusException& error) {
    return error.status();
  } catch (const std::exception& error) {
    const std::string what = error.what();  // Its first line; a C++ stack follows.
    return absl::InternalError(what.substr(0, what.find('\n')));
  }
}

void SeedRandomGenerators(uint64_t seed, int64_t global_step) {
  const uint64_t key[] = {seed, static_cast<uint64_t>(global_step)};
  at::manual_seed(XXH3_64bits(key, sizeof(key)));
}

class Trainer {
 public:
  Trainer(Task& task, const std::vector<BatchSource*>& streams, BatchSource* evaluation,
          Communicator& communicator, const TrainerOptions& options)
      : task_(task),
        streams_(streams),
        evaluation_(evaluation),
        communicator_(communicator),
        options_(options),
        steps_per_epoch_(streams[0]->steps_per_epoch()),
        store_(absl::StrCat(options.run_folder, "/checkpoints"), options.keep_checkpoints) {}

  absl::StatusOr<TrainSummary> Run() {
    RETURN_IF_ERROR(Start());
    const absl::Status trained = RunSteps();
    if (!trained.ok()) {
      return absl::Status(trained.code(), absl::StrCat(position_, ": ", trained.message()));
    }
    summary_.global_step = global_step_;
    return summary_;
  }

 private:
  // What some rank wants to happen before the next step.
  struct Wishes {
    bool stop;
    bool checkpoint;
  };

  bool is_root() const { return communicator_.rank() == 0; }
  int64_t epoch() const { return global_step_ / steps_per_epoch_; }
  int64_t step() const { return global_step_ % steps_per_epoch_; }

  absl::Status RunSteps() {
    while (global_step_ < options_.epochs * steps_per_epoch_) {
      position_ = absl::StrFormat("epoch %d/%d step %d/%d", epoch() + 1, options_.epochs,
                                  step() + 1, steps_per_epoch_);
      const absl::StatusOr<std::vector<Batch>> batches = LoadBatches();
      ASSIGN_OR_RETURN(const Wishes wishes, Agree(batches.status()));
      if (wishes.checkpoint || wishes.stop) RETURN_IF_ERROR(WriteCheckpoint(std::nullopt));
      if (wishes.stop) {
        summary_.interrupted = true;
        AddLine(absl::StrCat("stopped by a signal before ", position_));
        break;
      }
      RETURN_IF_ERROR(Step(*batches));
      if (global_step_ % steps_per_epoch_ == 0) RETURN_IF_ERROR(FinishEpoch());
    }
    return AgreeOnStatus(communicator_, local_status_);
  }

  // What decides the result of the run.
  nlohmann::json Identity() const {
    return {{"config", task_.Config()},
            {"data", options_.data},
            {"epochs", options_.epochs},
            {"seed", options_.seed}};
  }

  absl::Status Start() {
    nlohmann::json identity = Identity();
    identity["build"] = base::BuildId();
    RETURN_IF_ERROR(RequireSameJson(communicator_, identity));

    Checkpoint origin = {.state = {}, .description = nlohmann::json::object()};
    RETURN_IF_ERROR(
        AgreeOnStatus(communicator_, is_root() ? CatchErrors([&] { return OpenRunFolder(origin); })
                                               : absl::OkStatus()));
    ASSIGN_OR_RETURN(const std::string description,
                     BroadcastString(communicator_, origin.description.dump()));
    origin.description = nlohmann::json::parse(description);
    ASSIGN_OR_RETURN(origin.state, BroadcastTensors(communicator_, is_root() && origin.state.empty()
                                                                       ? task_.State()
                                                                       : origin.state));
    RETURN_IF_ERROR(AgreeOnStatus(communicator_, CatchErrors([&] { return LoadOrigin(origin); })));

    for (BatchSource* stream : streams_) {
      const int64_t steps = stream->steps_per_epoch();
      RETURN_IF_ERROR(stream->Seek(global_step_ / steps, global_step_ % steps));
    }
    if (epoch() < options_.epochs) task_.BeginEpoch(epoch(), options_.epochs);
    report_time_ = checkpoint_time_ = absl::Now();
    report_step_ = global_step_;
    return absl::OkStatus();
  }

  // On rank 0: finds the checkpoint to start from (`origin` stays empty for the beginning) and
  // opens the run's files.
  absl::Status OpenRunFolder(Checkpoint& origin) {
    RETURN_IF_ERROR(store_.Open());
    std::optional<Checkpoint> found;
    if (options_.resume == "auto") {
      ASSIGN_OR_RETURN(found, store_.ReadNewest());
    } else if (options_.resume != "none") {
      ASSIGN_OR_RETURN(found, ReadCheckpoint(options_.resume));
    } else {
      ASSIGN_OR_RETURN(const std::vector<int64_t> steps, store_.Steps());
      if (!steps.empty()) {
        return absl::FailedPreconditionError(
            absl::StrCat(options_.run_folder, " holds a run already, with the checkpoint ",
                         store_.Path(steps.back()), ": resume it, or choose another folder"));
      }
    }
    if (found.has_value()) {
      const std::string difference =
          JsonDifference(found->description["identity"], "in the checkpoint", Identity(), "now");
      if (!difference.empty()) {
        return absl::FailedPreconditionError(absl::StrCat("cannot resume: ", difference));
      }
      origin = *std::move(found);
    }
    const int64_t start = origin.description.value("global_step", int64_t{0});
    ASSIGN_OR_RETURN(log_, RunLog::Open(options_.run_folder, start));
    const nlohmann::ordered_json config = {
        {"settings", options_.settings}, {"identity", Identity()}, {"build", base::BuildId()}};
    RETURN_IF_ERROR(base::WriteFileAtomically(absl::StrCat(options_.run_folder, "/config.json"),
                                              config.dump(/*indent=*/1) + "\n"));
    AddLine(absl::StrCat("settings ", options_.settings.dump()));
    if (!options_.arithmetic.empty()) AddLine("arithmetic " + options_.arithmetic);
    if (start > 0) AddLine(absl::StrCat("resumed after ", start, " steps"));
    const std::string build = origin.description.value("build", base::BuildId());
    if (build != base::BuildId())
      AddLine(absl::StrCat("the checkpoint is of another build, ", build));
    return local_status_;
  }

  // Takes over `origin`, or, if its description is empty, rank 0's initial state.
  absl::Status LoadOrigin(const Checkpoint& origin) {
    const bool resumed = !origin.description.empty();
    if (resumed || !is_root()) RETURN_IF_ERROR(task_.LoadState(origin.state));
    if (!resumed) return absl::OkStatus();
    global_step_ = origin.description["global_step"];
    interval_ = MetricTotals::FromJson(origin.description["interval"]);
    epoch_totals_ = MetricTotals::FromJson(origin.description["epoch_totals"]);
    summary_.evaluation = origin.description["evaluation"];
    summary_.best_accuracy = origin.description["best_accuracy"];
    checkpointed_step_ = global_step_;
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Batch>> LoadBatches() {
    std::vector<Batch> batches;
    for (BatchSource* stream : streams_) {
      ASSIGN_OR_RETURN(Batch batch, stream->Next());
      batches.push_back(std::move(batch));
    }
    return batches;
  }

  // Lets all ranks take the same decision before a step, also that one of them has failed.
  absl::StatusOr<Wishes> Agree(const absl::Status& loaded) {
    local_status_.Update(loaded);
    const bool every_steps =
        options_.checkpoint_every_steps > 0 && global_step_ % options_.checkpoint_every_steps == 0;
    const bool overdue = absl::Now() - checkpoint_time_ >= options_.checkpoint_interval;
    const at::Tensor votes = at::zeros({3}, at::kLong);
    votes[0].fill_(local_status_.ok() ? 0 : 1);
    votes[1].fill_(stop_signal_.received() ? 1 : 0);
    votes[2].fill_(is_root() && (every_steps || overdue) ? 1 : 0);  // One clock decides.
    RETURN_IF_ERROR(communicator_.AllReduce(votes, ReduceOp::kSum));
    if (votes[0].item<int64_t>() > 0) return AgreeOnStatus(communicator_, local_status_);
    const bool fresh = global_step_ > checkpointed_step_;
    return Wishes{.stop = votes[1].item<int64_t>() > 0,
                  .checkpoint = fresh && votes[2].item<int64_t>() > 0};
  }

  absl::Status Step(const std::vector<Batch>& batches) {
    const StepContext context = {.epoch = epoch(),
                                 .step = step(),
                                 .global_step = global_step_,
                                 .epochs = options_.epochs,
                                 .steps_per_epoch = steps_per_epoch_};
    SeedRandomGenerators(options_.seed, global_step_);
    ASSIGN_OR_RETURN(const Metrics metrics,
                     CatchErrors([&] { return task_.Step(context, batches); }));
    if (options_.check_ranks) {
      RETURN_IF_ERROR(RequireSameTensors(communicator_, task_.State()));
    }
    interval_.Add(metrics);
    images_ += batches[0].global_count;
    ++global_step_;
    if (global_step_ % options_.report_every_steps == 0 || step() == 0) {
      RETURN_IF_ERROR(Report());
    }
    return absl::OkStatus();
  }

  absl::Status Report() {
    RETURN_IF_ERROR(interval_.Reduce(communicator_));
    const absl::Time now = absl::Now();
    const double seconds = absl::ToDoubleSeconds(now - std::exchange(report_time_, now));
    const double images_per_second = static_cast<double>(std::exchange(images_, 0)) / seconds;
    const std::map<std::string, double> means = interval_.Means();
    epoch_totals_.Merge(std::exchange(interval_, {}));

    nlohmann::json line = means;
    line["images_per_second"] = images_per_second;
    AddMetrics("train", std::move(line));
    std::string progress = position_;
    for (const auto& [name, mean] : means) absl::StrAppendFormat(&progress, " %s %.4f", name, mean);
    const int64_t steps = global_step_ - std::exchange(report_step_, global_step_);
    const int64_t steps_left = options_.epochs * steps_per_epoch_ - global_step_;
    const absl::Duration left = absl::Seconds(seconds / static_cast<double>(steps)) * steps_left;
    absl::StrAppendFormat(&progress, " %.0f images/s ETA %s", images_per_second,
                          absl::FormatDuration(absl::Trunc(left, absl::Seconds(1))));
    if (log_ != nullptr) local_status_.Update(log_->AddProgress(progress));
    return absl::OkStatus();
  }

  absl::Status FinishEpoch() {
    nlohmann::json line = task_.EpochSummary();
    line.update(nlohmann::json(std::exchange(epoch_totals_, {}).Means()));
    AddMetrics("epoch", std::move(line));
    std::optional<double> accuracy;
    if (evaluation_ != nullptr) {
      RETURN_IF_ERROR(Evaluate());
      if (const auto it = summary_.evaluation.find("accuracy"); it != summary_.evaluation.end()) {
        accuracy = it->second;
        summary_.best_accuracy = std::max(summary_.best_accuracy, *accuracy);
      }
    }
    RETURN_IF_ERROR(WriteCheckpoint(accuracy));
    if (epoch() < options_.epochs) task_.BeginEpoch(epoch(), options_.epochs);
    report_time_ = absl::Now();
    return absl::OkStatus();
  }

  absl::Status Evaluate() {
    MetricTotals totals;
    const absl::Status evaluated = CatchErrors([&]() -> absl::Status {
      RETURN_IF_ERROR(evaluation_->Seek(0, 0));
      for (int64_t i = 0; i < evaluation_->steps_per_epoch(); ++i) {
        ASSIGN_OR_RETURN(const Batch batch, evaluation_->Next());
        ASSIGN_OR_RETURN(const Metrics metrics, task_.Evaluate(batch));
        totals.Add(metrics);
      }
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(AgreeOnStatus(communicator_, evaluated));
    RETURN_IF_ERROR(totals.Reduce(communicator_));
    summary_.evaluation = totals.Means();
    AddMetrics("evaluation", summary_.evaluation);
    std::string line = absl::StrFormat("evaluation after epoch %d/%d", epoch(), options_.epochs);
    for (const auto& [name, mean] : summary_.evaluation) {
      absl::StrAppendFormat(&line, " %s %.4f", name, mean);
    }
    AddLine(line);
    return absl::OkStatus();
  }

  // Writes a checkpoint before the step that comes next.
  absl::Status WriteCheckpoint(std::optional<double> score) {
    RETURN_IF_ERROR(interval_.Reduce(communicator_));
    if (is_root() && local_status_.ok()) {
      const nlohmann::json description = {{"global_step", global_step_},
                                          {"identity", Identity()},
                                          {"build", base::BuildId()},
                                          {"interval", interval_.ToJson()},
                                          {"epoch_totals", epoch_totals_.ToJson()},
                                          {"evaluation", summary_.evaluation},
                                          {"best_accuracy", summary_.best_accuracy}};
      local_status_ = CatchErrors([&] {
        return store_.Write(global_step_, {task_.State(), description}, score);
      });
    }
    checkpointed_step_ = global_step_;
    checkpoint_time_ = absl::Now();
    return AgreeOnStatus(communicator_, local_status_);
  }

  // On rank 0. What a file refuses becomes known to all ranks when they agree next.
  void AddMetrics(const char* kind, nlohmann::json line) {
    if (log_ == nullptr) return;
    line["kind"] = kind;
    line["global_step"] = global_step_;
    line["epoch"] = (global_step_ - 1) / steps_per_epoch_ + 1;
    local_status_.Update(log_->AddMetrics(line));
  }
  void AddLine(const std::string& line) {
    if (log_ != nullptr) local_status_.Update(log_->AddLine(line));
  }

  Task& task_;
  const std::vector<BatchSource*>& streams_;
  BatchSource* const evaluation_;
  Communicator& communicator_;
  const TrainerOptions& options_;
  const int64_t steps_per_epoch_;
  const StopSignal stop_signal_;

  CheckpointStore store_;        // Used by rank 0 only.
  std::unique_ptr<RunLog> log_;  // Rank 0's only.
  absl::Status local_status_;    // This rank's first error that the others do not know yet.

  int64_t global_step_ = 0;        // Steps done.
  std::string position_;           // The step under way, or just done, for people.
  int64_t checkpointed_step_ = 0;  // At the last checkpoint.
  MetricTotals interval_;          // Since the last report.
  MetricTotals epoch_totals_;      // Of the epoch's earlier intervals.
  TrainSummary summary_;

  absl::Time report_time_;      // Of the last report.
  int64_t report_step_ = 0;     // Steps done then.
  absl::Time checkpoint_time_;  // Of the last checkpoint.
  int64_t images_ = 0;          // Since the last report, on all ranks.
};

}  // namespace

absl::StatusOr<TrainSummary> Train(Task& task, const std::vector<BatchSource*>& streams,
                                   BatchSource* evaluation, Communicator& communicator,
                                   const TrainerOptions& options) {
  CHECK_EQ(streams.size(), task.streams().size());
  absl::StatusOr<TrainSummary> summary =
      Trainer(task, streams, evaluation, communicator, options).Run();
  if (!summary.ok()) communicator.Abandon();
  return summary;
}

}  // namespace distributed
