#include "distributed/training/trainer.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/equal.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "c10/util/Exception.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/testing_task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSamples = 40;
constexpr int64_t kBatch = 4;
constexpr int64_t kStepsPerEpoch = kSamples / kBatch;

class TrainerTest : public testing::Test {
 protected:
  TrainerTest() : communicator_(MakeSingleCommunicator()) {
    options_.epochs = 3;
    options_.report_every_steps = 4;
    options_.checkpoint_every_steps = 3;
  }

  std::string Folder(const std::string& name) const {
    return std::string(getenv("TEST_TMPDIR")) + "/" +
           testing::UnitTest::GetInstance()->current_test_info()->name() + "_" + name;
  }

  // Trains in folder `name` and leaves the final state in `state_`.
  absl::StatusOr<TrainSummary> Run(const std::string& name, const std::string& resume,
                                   TestingTask::Options task_options = {}) {
    options_.run_folder = Folder(name);
    options_.resume = resume;
    TestingTask task(communicator_.get(), std::move(task_options));
    TestingBatches train(*communicator_, kSamples, kBatch, damaged_);
    TestingBatches evaluation(*communicator_, kSamples, kBatch, damaged_);
    absl::StatusOr<TrainSummary> summary =
        Train(task, {&train}, &evaluation, *communicator_, options_);
    state_.clear();
    for (const auto& [key, tensor] : task.State()) state_[key] = tensor.detach().clone();
    return summary;
  }

  // The steps that have a checkpoint in folder `name`.
  std::vector<int64_t> Steps(const std::string& name) const {
    return *CheckpointStore(Folder(name) + "/checkpoints", 1).Steps();
  }

  std::string Read(const std::string& path) const { return *base::ReadFile(Folder(path)); }

  // metrics.jsonl of folder `name` without what depends on the clock.
  std::vector<nlohmann::json> MetricLines(const std::string& name) const {
    std::vector<nlohmann::json> lines;
    const std::string text = *base::ReadFile(Folder(name) + "/metrics.jsonl");
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(line.begin(), line.end()));
      for (const char* clock : {"images_per_second", "seconds", "time", "peak_memory_bytes"}) {
        lines.back().erase(clock);
      }
    }
    return lines;
  }

  void ExpectSameState(const base::TensorMap& expected) {
    ASSERT_EQ(state_.size(), expected.size());
    for (const auto& [key, tensor] : expected) {
      EXPECT_TRUE(at::equal(tensor, state_.at(key))) << key;
    }
  }

  std::unique_ptr<Communicator> communicator_;
  TrainerOptions options_;
  std::set<int64_t> damaged_;  // Samples.
  base::TensorMap state_;
};

TEST_F(TrainerTest, LearnsAndReports) {
  const absl::StatusOr<TrainSummary> summary = Run("run", "none");
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->global_step, 3 * kStepsPerEpoch);
  EXPECT_GT(summary->evaluation.at("accuracy"), 0.6);
  EXPECT_GE(summary->best_accuracy, summary->evaluation.at("accuracy"));

  int train = 0, epoch = 0, evaluation = 0;
  std::vector<nlohmann::json> lines = MetricLines("run");
  EXPECT_EQ(lines.front(), nlohmann::json({{"kind", "start"},
                                           {"epoch", 0},
                                           {"global_step", 0},
                                           {"learning_rate", lines.front()["learning_rate"]}}));
  lines.erase(lines.begin());
  for (const nlohmann::json& line : lines) {
    EXPECT_TRUE(line.contains("loss") && line.contains("accuracy")) << line;
    train += line["kind"] == "train";
    evaluation += line["kind"] == "evaluation";
    if (line["kind"] == "epoch") {
      EXPECT_EQ(line["epoch"], ++epoch);
      EXPECT_TRUE(line.contains("learning_rate"));
    }
  }
  EXPECT_EQ(train, 9);  // After 4, 8, 10 (the epoch's end), 12, 16, 20, 24, 28, 30 steps.
  EXPECT_EQ(epoch, 3);
  EXPECT_EQ(evaluation, 3);
}

// Takes a second stream from the second epoch on, and notes the samples that it is given of it.
class LateStreamTask : public TestingTask {
 public:
  using TestingTask::TestingTask;
  std::vector<std::string> streams() const override { return {"train", "late"}; }
  void BeginEpoch(int64_t epoch, int64_t epochs) override {
    epoch_ = epoch;
    TestingTask::BeginEpoch(epoch, epochs);
  }
  bool UsesStream(size_t stream) const override { return stream == 0 || epoch_ > 0; }
  absl::StatusOr<Metrics> Step(const StepContext& context,
                               absl::Span<const Batch> batches) override {
    EXPECT_EQ(batches[1].labels.defined(), epoch_ > 0);
    if (epoch_ > 0) {
      EXPECT_EQ(batches[1].global_count, kBatch);
      seen.push_back(batches[1].sample_ids.clone());
    }
    return TestingTask::Step(context, batches);
  }
  std::vector<at::Tensor> seen;

 private:
  int64_t epoch_ = 0;
};

TEST_F(TrainerTest, AStreamIsReadInTheEpochsThatTakeIt) {
  options_.run_folder = Folder("run");
  LateStreamTask task(communicator_.get(), {});
  TestingBatches train(*communicator_, kSamples, kBatch);
  // Of another length, so that its epochs are others.
  TestingBatches late(*communicator_, kSamples - 2 * kBatch, kBatch);
  ASSERT_TRUE(Train(task, {&train, &late}, nullptr, *communicator_, options_).ok());
  ASSERT_EQ(task.seen.size(), 2 * kStepsPerEpoch);
  const int64_t steps = late.steps_per_epoch();
  for (int64_t i = 0; i < 2 * kStepsPerEpoch; ++i) {
    const int64_t global_step = kStepsPerEpoch + i;
    ASSERT_TRUE(late.Seek(global_step / steps, global_step % steps).ok());
    EXPECT_TRUE(at::equal(late.Next()->sample_ids, task.seen[i])) << i;
  }
}

TEST_F(TrainerTest, StoppedAtAnyStepAndResumedEndsWithTheSameBitsAndMetrics) {
  ASSERT_TRUE(Run("whole", "none").ok());
  const base::TensorMap expected = state_;
  for (const int64_t stop_step : {0, 1, 7, 10, 11, 19, 29}) {
    const std::string name = "stopped" + std::to_string(stop_step);
    TestingTask::Options stop;
    stop.before_step = [stop_step](const StepContext& context) {
      if (context.global_step == stop_step)
        raise(std::array{SIGTERM, SIGUSR1, SIGINT}[stop_step % 3]);
      return absl::OkStatus();
    };
    const absl::StatusOr<TrainSummary> stopped = Run(name, "none", stop);
    if (stop_step == 29) {  // After the last step there is none to stop.
      ASSERT_TRUE(stopped.ok()) << stopped.status();
    } else {
      ASSERT_EQ(stopped.status().code(), absl::StatusCode::kCancelled) << stopped.status();
      EXPECT_THAT(std::string(stopped.status().message()), HasSubstr("stopped by a signal before"));
    }
    ASSERT_EQ(Steps(name).back(), stop_step + 1);
    const absl::StatusOr<TrainSummary> resumed = Run(name, "auto");
    ASSERT_TRUE(resumed.ok()) << resumed.status();
    EXPECT_EQ(resumed->global_step, 3 * kStepsPerEpoch);
    ExpectSameState(expected);
  }
}

// Whose batches stop coming, as if their server were down; then comes a signal.
class StalledBatches : public TestingBatches {
 public:
  StalledBatches(const Communicator& communicator, int64_t batches)
      : TestingBatches(communicator, kSamples, kBatch), left_(batches) {}

  bool IsReady(std::chrono::milliseconds patience) override {
    if (left_ > 0) return true;
    raise(SIGTERM);
    return false;
  }
  absl::StatusOr<Batch> Next() override {
    --left_;
    return TestingBatches::Next();
  }

 private:
  int64_t left_;
};

TEST_F(TrainerTest, StoppedWhileItWaitsForABatch) {
  ASSERT_TRUE(Run("whole", "none").ok());
  const base::TensorMap expected = state_;
  options_.run_folder = Folder("stalled");
  TestingTask task(communicator_.get(), {});
  StalledBatches train(*communicator_, 13);
  const absl::Status stopped = Train(task, {&train}, nullptr, *communicator_, options_).status();
  EXPECT_EQ(stopped.code(), absl::StatusCode::kCancelled) << stopped;
  ASSERT_EQ(Steps("stalled").back(), 13);
  ASSERT_TRUE(Run("stalled", "auto").ok());
  ExpectSameState(expected);
}

TEST_F(TrainerTest, FailedRunResumesFromItsLastCheckpoint) {
  ASSERT_TRUE(Run("whole", "none").ok());
  const base::TensorMap expected = state_;
  TestingTask::Options fail;
  fail.before_step = [](const StepContext& context) {
    return context.global_step == 17 ? absl::InternalError("disturbed") : absl::OkStatus();
  };
  const absl::Status status = Run("failed", "none", fail).status();
  EXPECT_EQ(status.message(), "epoch 2/3 step 8/10: disturbed");
  ASSERT_TRUE(Run("failed", "auto").ok());
  ExpectSameState(expected);
  // A checkpoint every 3 steps: the metrics after step 15 were written twice, and stand there once.
  EXPECT_EQ(MetricLines("failed"), MetricLines("whole"));

  ASSERT_TRUE(Run("elsewhere", Folder("whole") + "/checkpoints/step_000000030").ok());
  ExpectSameState(expected);
}

TEST_F(TrainerTest, RefusesWhatDoesNotFit) {
  ASSERT_TRUE(Run("run", "none").ok());
  absl::Status status = Run("run", "none").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("holds a run already"));

  TestingTask::Options other;
  other.learning_rate = 0.25;
  status = Run("run", "auto", other).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "cannot resume: config/learning_rate is 0.1 in the checkpoint, 0.25 now");

  EXPECT_EQ(Run("run", Folder("nowhere")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TrainerTest, MetricThatIsNotFiniteEndsTheRunAndIsInNoCheckpoint) {
  ASSERT_TRUE(Run("whole", "none").ok());
  const base::TensorMap expected = state_;
  for (const std::string metric : {"loss", "gradient_norm"}) {
    for (const double value : {std::nan(""), HUGE_VAL}) {
      const std::string name = metric + (std::isnan(value) ? "nan" : "inf");
      int steps = 0;
      TestingTask::Options diverge;
      diverge.edit_metrics = [&](Metrics& metrics) {
        if (metrics.count("gradient_norm") > 0 && ++steps == 18) metrics[metric].sum.fill_(value);
      };
      const absl::Status status = Run(name, "none", diverge).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
      EXPECT_EQ(status.message(),
                "epoch 2/3 step 8/10: " + metric + " is " + (std::isnan(value) ? "nan" : "inf"));
      EXPECT_EQ(Steps(name).back(), 15);
      EXPECT_THAT(Read(name + "/metrics.jsonl"), testing::Not(HasSubstr("null")));
      ASSERT_TRUE(Run(name, "auto").ok());
      ExpectSameState(expected);
    }
  }
}

TEST_F(TrainerTest, EvaluationThatIsNotFiniteEndsTheRun) {
  TestingTask::Options diverge;
  diverge.edit_metrics = [](Metrics& metrics) {
    if (metrics.count("gradient_norm") == 0) metrics["loss"].sum.fill_(-HUGE_VAL);
  };
  const absl::Status status = Run("run", "none", diverge).status();
  EXPECT_EQ(status.message(), "epoch 1/3 step 10/10: evaluation: loss is -inf");
  EXPECT_EQ(Steps("run").back(), 9);
}

// What no metric shows, as a momentum that overflows after the loss was computed.
TEST_F(TrainerTest, StateThatIsNotFiniteIsInNoCheckpoint) {
  const TestingTask* running = nullptr;
  TestingTask::Options diverge;
  diverge.before_step = [&running](const StepContext& context) {
    if (context.global_step == 14) running->State().at("momentum3").fill_(HUGE_VAL);
    return absl::OkStatus();
  };
  options_.run_folder = Folder("run");
  TestingTask diverging(communicator_.get(), diverge);
  running = &diverging;
  TestingBatches train(*communicator_, kSamples, kBatch);
  const absl::Status status =
      Train(diverging, {&train}, nullptr, *communicator_, options_).status();
  EXPECT_EQ(status.message(),
            "epoch 2/3 step 6/10: 12 of the 12 numbers of momentum3 are not finite");
  EXPECT_EQ(Steps("run").back(), 12);
}

// A collective of a device's tensors that has failed since its result was taken for good.
class FailingCommunicator : public Communicator {
 public:
  FailingCommunicator() : Communicator({.host = "here"}), single_(MakeSingleCommunicator()) {}
  std::unique_ptr<Work> AllReduceAsync(at::Tensor tensor, ReduceOp op) override {
    return single_->AllReduceAsync(std::move(tensor), op);
  }
  absl::Status Broadcast(const at::Tensor& tensor, int root) override {
    return single_->Broadcast(tensor, root);
  }
  absl::StatusOr<at::Tensor> AllGather(const at::Tensor& tensor) override {
    return single_->AllGather(tensor);
  }
  absl::Status Barrier() override { return failure; }
  void Abandon() override { abandoned = true; }

  absl::Status failure;
  bool abandoned = false;

 private:
  const std::unique_ptr<Communicator> single_;
};

TEST_F(TrainerTest, CollectiveThatFailedUnnoticedReachesNoCheckpoint) {
  FailingCommunicator* failing = new FailingCommunicator;
  communicator_.reset(failing);
  TestingTask::Options fail;
  fail.before_step = [failing](const StepContext& context) {
    if (context.global_step == 13) failing->failure = absl::UnavailableError("lost rank 1");
    return absl::OkStatus();
  };
  const absl::Status status = Run("run", "none", fail).status();
  EXPECT_EQ(status.message(), "epoch 2/3 step 6/10: lost rank 1");
  EXPECT_TRUE(failing->abandoned);
  EXPECT_EQ(Steps("run").back(), 12);
}

TEST_F(TrainerTest, LaterCheckpointsArePutAsideWhereAnOlderOneIsChosen) {
  options_.keep_checkpoints = 10;
  ASSERT_TRUE(Run("run", "none").ok());
  const base::TensorMap expected = state_;
  const std::string metrics = Read("run/metrics.jsonl");
  options_.keep_checkpoints = 2;
  ASSERT_TRUE(Run("run", Folder("run") + "/checkpoints/step_000000012").ok());
  ExpectSameState(expected);
  EXPECT_EQ(Steps("run").back(), 30);
  CheckpointStore aside(Folder("run") + "/checkpoints/set_aside_1", 10);
  EXPECT_THAT(*aside.Steps(), testing::ElementsAre(15, 18, 20, 21, 24, 27, 30));
  EXPECT_EQ(Read("run/checkpoints/set_aside_1/metrics.jsonl"), metrics);
}

TEST_F(TrainerTest, FolderOfARunThatGoesOnIsRefused) {
  absl::Status second;
  TestingTask::Options start_another;
  start_another.before_step = [&](const StepContext& context) {
    if (context.global_step != 5) return absl::OkStatus();
    TestingTask task(communicator_.get(), {});
    TestingBatches train(*communicator_, kSamples, kBatch);
    TrainerOptions options = options_;
    options.resume = "auto";
    second = Train(task, {&train}, nullptr, *communicator_, options).status();
    return absl::OkStatus();
  };
  ASSERT_TRUE(Run("run", "none", start_another).ok());
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()),
              HasSubstr("a run goes on here, of process " + std::to_string(getpid())));
  EXPECT_FALSE(std::filesystem::exists(Folder("run/run.lock")));
}

TEST_F(TrainerTest, FolderOfSomebodyElseIsLeftAsItIs) {
  const auto refuse = [this](const std::string& file, const std::string& text) {
    const std::string folder = file + "_is_there";
    ASSERT_TRUE(base::MakeFolder(Folder(folder)).ok());
    ASSERT_TRUE(base::WriteFileAtomically(Folder(folder) + "/" + file, text).ok());
    for (const std::string resume : {"none", "auto"}) {
      const absl::Status status = Run(folder, resume).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << file;
      EXPECT_THAT(std::string(status.message()), HasSubstr(file));
      EXPECT_EQ(Read(folder + "/" + file), text);
      EXPECT_EQ(std::distance(std::filesystem::directory_iterator(Folder(folder)), {}), 1);
    }
  };
  refuse("config.json", "mine");
  refuse("config.json", R"({"editor": "mine"})");
  refuse("notes.txt", "mine");

  // Results without their checkpoints are still results.
  ASSERT_TRUE(Run("finished", "none").ok());
  ASSERT_TRUE(base::WriteFileAtomically(Folder("finished/weights.pt"), "weights").ok());
  std::filesystem::remove_all(Folder("finished/checkpoints"));
  EXPECT_THAT(std::string(Run("finished", "none").status().message()), HasSubstr("weights.pt"));
}

TEST_F(TrainerTest, RefusedStartLeavesNothing) {
  EXPECT_EQ(Run("new/run", Folder("nowhere")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(Folder("new")));

  ASSERT_TRUE(Run("run", "none").ok());
  TestingTask::Options other;
  other.learning_rate = 0.25;
  const std::string checkpoint = Folder("run") + "/checkpoints/step_000000030";
  EXPECT_EQ(Run("new/run", checkpoint, other).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(std::filesystem::exists(Folder("new")));
}

TEST_F(TrainerTest, DamagedSamplesAreLeftOutCountedAndListed) {
  damaged_ = {3, 4, 5, 6, 7, 33};  // 4 to 7: a whole batch of the first epoch.
  const absl::StatusOr<TrainSummary> summary = Run("run", "none");
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->bad_samples, 12);  // In training and in evaluation.
  const std::string listed = Read("run/bad_samples.jsonl");
  EXPECT_EQ(std::count(listed.begin(), listed.end(), '\n'), 12);
  EXPECT_THAT(listed,
              HasSubstr(R"({"id":33,"name":"image33","reason":"is damaged","stream":"train"})"));
  EXPECT_THAT(Read("run/log.txt"), HasSubstr("12 damaged samples were left out"));
  for (const nlohmann::json& line : MetricLines("run")) {
    if (line["kind"] == "evaluation") {
      EXPECT_EQ(line["judged"], kSamples - 6);
      EXPECT_EQ(line["bad_samples"], 6);
    }
    if (line["kind"] == "epoch" && line["epoch"] == 3) {
      EXPECT_EQ(line["bad_samples"], 12);
    }
  }

  // Stopped and resumed, the same samples are not counted twice.
  const base::TensorMap expected = state_;
  TestingTask::Options stop;
  stop.before_step = [](const StepContext& context) {
    if (context.global_step == 17) raise(SIGTERM);
    return absl::OkStatus();
  };
  EXPECT_FALSE(Run("stopped", "none", stop).ok());
  EXPECT_EQ(Run("stopped", "auto")->bad_samples, 12);
  ExpectSameState(expected);
  EXPECT_EQ(Read("stopped/bad_samples.jsonl"), listed);
}

TEST_F(TrainerTest, TooManyDamagedSamplesEndTheRun) {
  damaged_ = {3, 14, 15, 33};
  options_.max_bad_samples = 2;
  absl::Status status = Run("run", "none").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(),
            "epoch 1/3 step 4/10: 3 samples are damaged, of which 2 may be left out; the first is "
            "train sample 3, image3: is damaged");

  options_.max_bad_samples = -1;
  for (int64_t i = 0; i < kSamples; ++i) damaged_.insert(i);
  status = Run("all", "none").status();
  EXPECT_EQ(status.message(),
            "epoch 1/3 step 10/10: no batch of an epoch has a sample that is whole; the first is "
            "train sample 0, image0: is damaged");
}

TEST_F(TrainerTest, ExceptionOfLibTorchIsAnErrorOfTheStep) {
  TestingTask::Options fail;
  fail.before_step = [](const StepContext&) -> absl::Status {
    TORCH_CHECK(false, "out of something");
  };
  const absl::Status status = Run("run", "none", fail).status();
  EXPECT_EQ(status.message(), "epoch 1/3 step 1/10: out of something");
}

TEST_F(TrainerTest, RunFolderThatVanishesEndsTheRun) {
  TestingTask::Options remove;
  remove.before_step = [this](const StepContext& context) {
    if (context.global_step == 4) std::filesystem::remove_all(Folder("run"));
    return absl::OkStatus();
  };
  const absl::Status status = Run("run", "none", remove).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("run/checkpoints/"));
}

}  // namespace
}  // namespace distributed
