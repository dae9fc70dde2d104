#include "distributed/training/trainer.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ATen/ops/equal.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "c10/util/Exception.h"
#include "distributed/communication/single_communicator.h"
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
    TestingBatches train(*communicator_, kSamples, kBatch);
    TestingBatches evaluation(*communicator_, kSamples, kBatch);
    absl::StatusOr<TrainSummary> summary =
        Train(task, {&train}, &evaluation, *communicator_, options_);
    state_.clear();
    for (const auto& [key, tensor] : task.State()) state_[key] = tensor.detach().clone();
    return summary;
  }

  // metrics.jsonl of folder `name` without what depends on the clock.
  std::vector<nlohmann::json> MetricLines(const std::string& name) const {
    std::vector<nlohmann::json> lines;
    const std::string text = *base::ReadFile(Folder(name) + "/metrics.jsonl");
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(line.begin(), line.end()));
      lines.back().erase("images_per_second");
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
  base::TensorMap state_;
};

TEST_F(TrainerTest, LearnsAndReports) {
  const absl::StatusOr<TrainSummary> summary = Run("run", "none");
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->global_step, 3 * kStepsPerEpoch);
  EXPECT_FALSE(summary->interrupted);
  EXPECT_GT(summary->evaluation.at("accuracy"), 0.6);
  EXPECT_GE(summary->best_accuracy, summary->evaluation.at("accuracy"));

  int train = 0, epoch = 0, evaluation = 0;
  for (const nlohmann::json& line : MetricLines("run")) {
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

TEST_F(TrainerTest, StoppedAtAnyStepAndResumedEndsWithTheSameBitsAndMetrics) {
  ASSERT_TRUE(Run("whole", "none").ok());
  const base::TensorMap expected = state_;
  for (const int64_t stop_step : {0, 1, 7, 10, 19, 29}) {
    const std::string name = "stopped" + std::to_string(stop_step);
    TestingTask::Options stop;
    stop.before_step = [stop_step](const StepContext& context) {
      if (context.global_step == stop_step) raise(stop_step % 2 == 0 ? SIGTERM : SIGUSR1);
      return absl::OkStatus();
    };
    const absl::StatusOr<TrainSummary> stopped = Run(name, "none", stop);
    ASSERT_TRUE(stopped.ok()) << stopped.status();
    ASSERT_EQ(stopped->interrupted, stop_step != 29);  // After the last step there is none to stop.
    ASSERT_EQ(stopped->global_step, stop_step + 1);
    const absl::StatusOr<TrainSummary> resumed = Run(name, "auto");
    ASSERT_TRUE(resumed.ok()) << resumed.status();
    EXPECT_EQ(resumed->global_step, 3 * kStepsPerEpoch);
    ExpectSameState(expected);
  }
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
