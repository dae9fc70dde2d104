#include "distributed/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ATen/Context.h"
#include "ATen/ops/from_blob.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/build_id.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/communication/status_exception.h"
#include "distributed/training/bad_sample_list.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/evaluation.h"
#include "distributed/training/finite.h"
#include "distributed/training/metric_totals.h"
#include "distributed/training/phase_times.h"
#include "distributed/training/progress.h"
#include "distributed/training/run_environment.h"
#include "distributed/training/run_origin.h"
#include "distributed/training/run_record.h"
#include "distributed/training/stop_signal.h"
#include "glog/logging.h"
#include "xxhash.h"

namespace distributed {
namespace {

constexpr std::chrono::milliseconds kSignalPatience(100);

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
        used_(streams.size(), false),
        steps_per_epoch_(streams[0]->steps_per_epoch()) {}

  absl::StatusOr<TrainSummary> Run() {
    RETURN_IF_ERROR(Start());
    const absl::Status trained = RunSteps();
    if (absl::IsCancelled(trained)) return trained;
    if (!trained.ok()) {
      return absl::Status(trained.code(), absl::StrCat(position_, ": ", trained.message()));
    }
    summary_.global_step = global_step_;
    summary_.bad_samples = bad_samples_.size();
    return summary_;
  }

 private:
  // What some rank wants to happen before the next step, and what the ranks have for it.
  struct Votes {
    bool stop;
    bool checkpoint;
    bool skipped;                 // A batch came without some samples.
    std::vector<int64_t> counts;  // Of the samples of each stream's batch, over all ranks.
  };

  bool is_root() const { return communicator_.rank() == 0; }
  int64_t epoch() const { return global_step_ / steps_per_epoch_; }
  int64_t step() const { return global_step_ % steps_per_epoch_; }

  absl::Status RunSteps() {
    while (global_step_ < options_.epochs * steps_per_epoch_) {
      position_ = Position(ProgressAt(step() + 1));
      phases_.Begin("data");
      absl::StatusOr<std::vector<Batch>> batches = LoadBatches();
      phases_.Begin("wait");
      ASSIGN_OR_RETURN(const Votes votes, Vote(batches));
      if (votes.skipped) RETURN_IF_ERROR(ListSkippedSamples());
      if (votes.checkpoint || votes.stop) RETURN_IF_ERROR(WriteCheckpoint(std::nullopt));
      if (votes.stop) return Stop();
      phases_.Begin("step");
      RETURN_IF_ERROR(Step(*batches, votes.counts));
      if (step() == 0) RETURN_IF_ERROR(FinishEpoch());
    }
    if (bad_samples_.size() > 0) {
      AddLine(absl::StrCat(bad_samples_.size(), " damaged samples were left out: ",
                           options_.run_folder, "/bad_samples.jsonl"));
    }
    return FinishCheckpoint();
  }

  // What is being written is on the disk afterwards, or its error known to all ranks.
  absl::Status FinishCheckpoint() {
    if (is_root()) local_status_.Update(record_->FinishCheckpoint());
    return AgreeOnStatus(communicator_, local_status_);
  }

  absl::Status Stop() {
    const std::string stopped = absl::StrCat("stopped by a signal before ", position_);
    AddLine(stopped);
    RETURN_IF_ERROR(FinishCheckpoint());
    return absl::CancelledError(absl::StrCat(stopped, "; to be resumed from its checkpoint"));
  }

  absl::Status Start() {
    const nlohmann::json identity = RunIdentity(task_, options_);
    RETURN_IF_ERROR(RequireSameRun(communicator_, identity));

    Checkpoint origin = {.state = {}, .description = nlohmann::json::object()};
    RETURN_IF_ERROR(OnRoot([&]() -> absl::Status {
      ASSIGN_OR_RETURN(record_, RunRecord::Open(options_, identity, communicator_.place().host));
      ASSIGN_OR_RETURN(origin, record_->FindOrigin());
      return absl::OkStatus();
    }));
    ASSIGN_OR_RETURN(const std::string description,
                     BroadcastString(communicator_, origin.description.dump()));
    origin.description = nlohmann::json::parse(description);
    ASSIGN_OR_RETURN(origin.state, BroadcastTensors(communicator_, is_root() && origin.state.empty()
                                                                       ? task_.State()
                                                                       : origin.state));
    RETURN_IF_ERROR(AgreeOnStatus(communicator_, CatchErrors([&] { return LoadOrigin(origin); })));
    RETURN_IF_ERROR(OnRoot(
        [&] { return record_->Begin(origin.description, RunEnvironment(communicator_.size())); }));

    RETURN_IF_ERROR(AgreeOnStatus(communicator_, BeginEpoch()));
    report_time_ = checkpoint_time_ = epoch_time_ = absl::Now();
    report_step_ = global_step_;
    if (global_step_ == 0) AddMetrics("start", task_.EpochSummary());
    return absl::OkStatus();
  }

  // Of the task, and of the streams that it takes from now on.
  absl::Status BeginEpoch() {
    if (epoch() < options_.epochs) task_.BeginEpoch(epoch(), options_.epochs);
    absl::Status sought;
    for (size_t i = 0; i < streams_.size(); ++i) {
      const bool was_used = std::exchange(used_[i], task_.UsesStream(i));
      if (was_used || !used_[i]) continue;
      const int64_t steps = streams_[i]->steps_per_epoch();
      sought.Update(streams_[i]->Seek(global_step_ / steps, global_step_ % steps));
    }
    return sought;
  }

  // Runs `body` on rank 0; its error is that of all ranks.
  template <typename Body>
  absl::Status OnRoot(const Body& body) {
    return AgreeOnStatus(communicator_, is_root() ? CatchErrors(body) : absl::OkStatus());
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
    bad_samples_ =
        BadSampleList::FromJson(origin.description.value("bad_samples", nlohmann::json::array()));
    checkpointed_step_ = global_step_;
    return absl::OkStatus();
  }

  // After a signal, which the votes tell all ranks of, those that are there: a server that is down
  // must not keep a run from its checkpoint.
  absl::StatusOr<std::vector<Batch>> LoadBatches() {
    std::vector<Batch> batches(streams_.size());
    for (size_t i = 0; i < streams_.size(); ++i) {
      if (!used_[i]) continue;
      while (!streams_[i]->IsReady(kSignalPatience) && !StopSignal::Received()) {
      }
      if (StopSignal::Received()) break;
      ASSIGN_OR_RETURN(batches[i], streams_[i]->Next());
    }
    return batches;
  }

  // Lets all ranks take the same decision before a step, also that one of them has failed, and know
  // how many samples it is made of.
  absl::StatusOr<Votes> Vote(const absl::StatusOr<std::vector<Batch>>& batches) {
    local_status_.Update(batches.status());
    if (is_root() && local_status_.ok()) local_status_ = record_->LastCheck();
    skipped_.resize(streams_.size());
    bool skipped = false;
    for (size_t i = 0; i < streams_.size(); ++i) {
      skipped_[i] = streams_[i]->TakeSkippedSamples();
      skipped |= !skipped_[i].empty();
    }
    const bool every_steps =
        options_.checkpoint_every_steps > 0 && global_step_ % options_.checkpoint_every_steps == 0;
    const bool overdue = absl::Now() - checkpoint_time_ >= options_.checkpoint_interval;
    std::vector<int64_t> votes = {!local_status_.ok(), StopSignal::Received(),
                                  is_root() && (every_steps || overdue),  // One clock decides.
                                  skipped};
    const size_t counts = votes.size();
    for (size_t i = 0; i < streams_.size(); ++i) {
      const bool loaded = batches.ok() && (*batches)[i].labels.defined();
      votes.push_back(loaded ? (*batches)[i].labels.numel() : 0);
    }
    RETURN_IF_ERROR(communicator_.AllReduce(
        at::from_blob(votes.data(), {static_cast<int64_t>(votes.size())}, at::kLong),
        ReduceOp::kSum));
    if (votes[0] > 0) return AgreeOnStatus(communicator_, local_status_);
    const bool fresh = global_step_ > checkpointed_step_;
    return Votes{.stop = votes[1] > 0,
                 .checkpoint = fresh && votes[2] > 0,
                 .skipped = votes[3] > 0,
                 .counts = {votes.begin() + counts, votes.end()}};
  }

  // Makes the samples that some rank's batches came without known to all ranks and to the run's
  // record. An error if there are too many.
  absl::Status ListSkippedSamples() {
    for (size_t i = 0; i < streams_.size(); ++i) {
      RETURN_IF_ERROR(bad_samples_.Add(task_.streams()[i], skipped_[i], communicator_));
    }
    RecordBadSamples();
    return bad_samples_.Check(options_.max_bad_samples);
  }

  void RecordBadSamples() {
    const nlohmann::json added = bad_samples_.TakeNew();
    if (record_ == nullptr || added.empty()) return;
    local_status_.Update(record_->log().AddBadSamples(added));
    AddLine(absl::StrCat("left out ", DescribeSkippedSample(added[0]),
                         added.size() > 1 ? absl::StrCat(", and ", added.size() - 1, " more") : "",
                         "; ", bad_samples_.size(), " so far"));
  }

  // `counts`: the samples of each stream's batch on all ranks.
  absl::Status Step(std::vector<Batch>& batches, const std::vector<int64_t>& counts) {
    const StepContext context = {
        .global_step = global_step_,
        .epoch_share = static_cast<double>(step() + 1) / static_cast<double>(steps_per_epoch_)};
    for (size_t i = 0; i < batches.size(); ++i) {
      if (!used_[i]) continue;
      if (counts[i] == 0) return PassStep();  // All ranks do.
      batches[i].global_count = counts[i];
      batches[i].loss_weight = static_cast<double>(communicator_.size()) / counts[i];
    }
    SeedRandomGenerators(options_.seed, global_step_);
    ASSIGN_OR_RETURN(const Metrics metrics,
                     CatchErrors([&] { return task_.Step(context, batches); }));
    local_status_.Update(CatchErrors([&] { return RequireFinite(metrics); }));
    RETURN_IF_ERROR(AgreeOnStatus(communicator_, local_status_));
    if (options_.check_ranks) {
      RETURN_IF_ERROR(RequireSameTensors(communicator_, task_.State()));
    }
    interval_.Add(metrics);
    images_ += batches[0].global_count;
    return AdvanceStep();
  }

  // A step whose every sample, on all ranks, is damaged changes nothing.
  absl::Status PassStep() {
    ++passed_steps_;
    if (passed_steps_ == steps_per_epoch_) {
      const nlohmann::json bad = bad_samples_.ToJson();
      return absl::DataLossError(absl::StrCat(
          "no batch of an epoch has a sample that is whole",
          bad.empty() ? std::string()
                      : absl::StrCat("; the first is ", DescribeSkippedSample(bad[0]))));
    }
    return AdvanceStep();
  }

  absl::Status AdvanceStep() {
    const Progress progress = ProgressAt(step() + 1);
    ++global_step_;
    if (global_step_ % options_.report_every_steps == 0 || step() == 0) return Report(progress);
    if (record_ != nullptr) record_->log().ShowStep(progress);
    return absl::OkStatus();
  }

  // With `step` steps of this epoch done, and what the last report found.
  Progress ProgressAt(int64_t step) const {
    Progress progress = reported_;
    progress.epoch = epoch() + 1;
    progress.epochs = options_.epochs;
    progress.step = step;
    progress.steps = steps_per_epoch_;
    progress.left = step_time_ * ((options_.epochs - epoch()) * steps_per_epoch_ - step);
    return progress;
  }

  absl::Status Report(Progress progress) {
    RETURN_IF_ERROR(interval_.Reduce(communicator_));
    const absl::Time now = absl::Now();
    const double seconds = absl::ToDoubleSeconds(now - std::exchange(report_time_, now));
    reported_.images_per_second = static_cast<double>(std::exchange(images_, 0)) / seconds;
    reported_.means = interval_.Means();
    epoch_totals_.Merge(std::exchange(interval_, {}));
    const int64_t steps = global_step_ - std::exchange(report_step_, global_step_);
    step_time_ = absl::Seconds(seconds / static_cast<double>(steps));

    nlohmann::json line = reported_.means;
    line["images_per_second"] = reported_.images_per_second;
    line["bad_samples"] = bad_samples_.size();
    AddMetrics("train", std::move(line));
    progress.means = reported_.means;
    progress.images_per_second = reported_.images_per_second;
    progress.left = step_time_ * (options_.epochs * steps_per_epoch_ - global_step_);
    if (record_ != nullptr) local_status_.Update(record_->log().AddReport(progress));
    return absl::OkStatus();
  }

  absl::Status FinishEpoch() {
    EpochResult result = {.epoch = epoch(),
                          .epochs = options_.epochs,
                          .means = std::exchange(epoch_totals_, {}).Means()};
    nlohmann::json line = task_.EpochSummary();
    line.update(nlohmann::json(result.means));
    line["bad_samples"] = bad_samples_.size();
    line["seconds"] = phases_.Take();
    line["peak_memory_bytes"] = PeakMemoryBytes();
    AddMetrics("epoch", std::move(line));
    if (record_ != nullptr && options_.tensorboard) {
      local_status_.Update(record_->log().AddPictures(global_step_, task_.Pictures()));
    }
    passed_steps_ = 0;
    std::optional<double> accuracy;
    if (evaluation_ != nullptr) {
      phases_.Begin("evaluation");
      RETURN_IF_ERROR(Evaluate(result));
      if (const auto it = summary_.evaluation.find("accuracy"); it != summary_.evaluation.end()) {
        accuracy = it->second;
        summary_.best_accuracy = std::max(summary_.best_accuracy, *accuracy);
      }
    }
    const absl::Time now = absl::Now();
    result.took = now - std::exchange(epoch_time_, now);
    if (record_ != nullptr) local_status_.Update(record_->log().AddEpoch(result));
    RETURN_IF_ERROR(WriteCheckpoint(accuracy));
    local_status_.Update(BeginEpoch());
    report_time_ = absl::Now();
    return absl::OkStatus();
  }

  // Enters what it finds into `result`.
  absl::Status Evaluate(EpochResult& result) {
    const absl::StatusOr<Evaluation> evaluation = CatchErrors([&] {
      return EvaluateBatches(
          *evaluation_, [&](const Batch& batch) { return task_.Evaluate(batch); }, bad_samples_,
          options_.max_bad_samples, communicator_);
    });
    RecordBadSamples();
    if (!evaluation.ok()) {
      return absl::Status(evaluation.status().code(),
                          absl::StrCat("evaluation: ", evaluation.status().message()));
    }
    if (const absl::Status finite = RequireFinite(evaluation->means); !finite.ok()) {
      return absl::Status(finite.code(), absl::StrCat("evaluation: ", finite.message()));
    }
    summary_.evaluation = evaluation->means;
    nlohmann::json metrics = summary_.evaluation;
    metrics["judged"] = evaluation->judged;
    metrics["bad_samples"] = evaluation->samples - evaluation->judged;
    AddMetrics("evaluation", std::move(metrics));
    result.evaluation = summary_.evaluation;
    result.judged = evaluation->judged;
    result.samples = evaluation->samples;
    return absl::OkStatus();
  }

  // Takes a checkpoint before the step that comes next, which goes to the disk while steps go on.
  // What a disk refuses becomes known to all ranks when they vote.
  absl::Status WriteCheckpoint(std::optional<double> score) {
    phases_.Begin("checkpoint");
    RETURN_IF_ERROR(interval_.Reduce(communicator_));
    // A collective on a device may have failed since anybody looked, and the state rest on it.
    local_status_.Update(CatchErrors([&] { return communicator_.Barrier(); }));
    if (is_root() && local_status_.ok()) {
      local_status_ = CatchErrors([&] { return RequireFinite(task_.State()); });
    }
    RETURN_IF_ERROR(AgreeOnStatus(communicator_, local_status_));
    if (is_root()) {
      nlohmann::json description = {{"interval", interval_.ToJson()},
                                    {"epoch_totals", epoch_totals_.ToJson()},
                                    {"evaluation", summary_.evaluation},
                                    {"best_accuracy", summary_.best_accuracy},
                                    {"bad_samples", bad_samples_.ToJson()}};
      local_status_ = CatchErrors([&] {
        return record_->StartCheckpoint(global_step_, task_.State(), std::move(description), score);
      });
    }
    checkpointed_step_ = global_step_;
    checkpoint_time_ = absl::Now();
    return AgreeOnStatus(communicator_, local_status_);
  }

  // On rank 0. What a file refuses becomes known to all ranks when they agree next.
  void AddMetrics(const char* kind, nlohmann::json line) {
    if (record_ == nullptr) return;
    const int64_t epoch = global_step_ == 0 ? 0 : (global_step_ - 1) / steps_per_epoch_ + 1;
    local_status_.Update(record_->log().AddMetrics(kind, epoch, global_step_, std::move(line)));
  }
  void AddLine(const std::string& line) {
    if (record_ != nullptr) local_status_.Update(record_->log().AddLine(line));
  }

  Task& task_;
  const std::vector<BatchSource*>& streams_;
  BatchSource* const evaluation_;
  Communicator& communicator_;
  const TrainerOptions& options_;
  std::vector<char> used_;  // Which streams, in this epoch.
  const int64_t steps_per_epoch_;
  const StopSignal stop_signal_;

  std::unique_ptr<RunRecord> record_;  // Rank 0's only.
  absl::Status local_status_;          // This rank's first error that the others do not know yet.

  int64_t global_step_ = 0;        // Steps done.
  std::string position_;           // The step under way, or just done, for people.
  int64_t checkpointed_step_ = 0;  // At the last checkpoint.
  MetricTotals interval_;          // Since the last report.
  MetricTotals epoch_totals_;      // Of the epoch's earlier intervals.
  TrainSummary summary_;

  BadSampleList bad_samples_;
  std::vector<std::vector<SkippedSample>> skipped_;  // By stream: of the batches just loaded.
  int64_t passed_steps_ = 0;  // Without a sample, of this epoch, as far as this process saw it.

  PhaseTimes phases_;
  Progress reported_;                                    // Means and rate of the last report.
  absl::Duration step_time_ = absl::InfiniteDuration();  // Of its steps.
  absl::Time epoch_time_;       // When the epoch, or this process's part of it, began.
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
  // Ranks that were told to stop leave together.
  if (!summary.ok() && !absl::IsCancelled(summary.status())) communicator.Abandon();
  return summary;
}

}  // namespace distributed
