// Ranks whose shares of the samples differ, or are empty, or cannot be read, evaluate in step.
#include "distributed/training/evaluation.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "ATen/ops/scalar_tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/training/bad_sample_list.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/metric_totals.h"
#include "distributed/training/testing_task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/distributed/world.h"

namespace distributed {
namespace {

using ::testing::HasSubstr;

bool IsLast() { return World().rank() == World().size() - 1; }

absl::StatusOr<Evaluation> Evaluate(Communicator& communicator, BatchSource& source,
                                    BadSampleList& bad) {
  TestingTask task(&communicator, {});
  return EvaluateBatches(
      source, [&](const Batch& batch) { return task.Evaluate(batch); }, bad, -1, communicator);
}

TEST(EvaluationTest, EmptySharesCountNothing) {
  const std::set<int64_t> damaged = {0, 1, 4};  // A whole batch, and half of one.
  const std::unique_ptr<Communicator> single = MakeSingleCommunicator();
  TestingBatches whole(*single, /*samples=*/12, /*global_batch=*/2, damaged);
  TestingBatches share(World(), /*samples=*/12, /*global_batch=*/2, damaged);
  BadSampleList bad_of_one, bad;
  const absl::StatusOr<Evaluation> expected = Evaluate(*single, whole, bad_of_one);
  const absl::StatusOr<Evaluation> found = Evaluate(World(), share, bad);
  ASSERT_TRUE(expected.ok() && found.ok()) << expected.status() << found.status();
  EXPECT_EQ(found->judged, 9);
  EXPECT_EQ(found->samples, 12);
  EXPECT_EQ(bad.size(), 3);
  ASSERT_EQ(found->means.size(), expected->means.size());
  for (const auto& [name, mean] : expected->means) EXPECT_NEAR(found->means.at(name), mean, 1e-12);
}

// Cannot be read on the last rank.
class FailingBatches : public TestingBatches {
 public:
  using TestingBatches::TestingBatches;
  absl::StatusOr<Batch> Next() override {
    if (IsLast() && ++batches_ == 3) return absl::UnavailableError("no disk");
    return TestingBatches::Next();
  }

 private:
  int batches_ = 0;
};

TEST(EvaluationTest, ErrorOfARankIsThatOfAll) {
  FailingBatches share(World(), /*samples=*/24, /*global_batch=*/4);
  BadSampleList bad;
  const absl::Status status = Evaluate(World(), share, bad).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no disk"));
  EXPECT_TRUE(World().Barrier().ok()) << "the ranks are still in step";
}

TEST(MetricTotalsTest, RanksMayNameDifferentMetrics) {
  MetricTotals totals;
  Metrics metrics = {{"of_all", {at::scalar_tensor(1.0), 1}}};
  if (IsLast()) metrics["a_of_last"] = {at::scalar_tensor(3.0), 2};
  totals.Add(metrics);
  ASSERT_TRUE(totals.Reduce(World()).ok());
  const std::map<std::string, double> means = totals.Means();
  EXPECT_EQ(means.size(), 2);
  EXPECT_EQ(means.at("of_all"), 1);
  EXPECT_EQ(means.at("a_of_last"), 1.5);
}

}  // namespace
}  // namespace distributed
