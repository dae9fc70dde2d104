#include "distributed/training/evaluation.h"

#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/training/testing_task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

using ::testing::HasSubstr;

class EvaluationTest : public testing::Test {
 protected:
  absl::StatusOr<Evaluation> Evaluate(std::set<int64_t> damaged, int64_t most = -1) {
    TestingBatches batches(*communicator_, /*samples=*/12, /*global_batch=*/4, std::move(damaged));
    return EvaluateBatches(
        batches, [&](const Batch& batch) { return task_.Evaluate(batch); }, bad_, most,
        *communicator_);
  }

  const std::unique_ptr<Communicator> communicator_ = MakeSingleCommunicator();
  TestingTask task_{communicator_.get(), {}};
  BadSampleList bad_;
};

TEST_F(EvaluationTest, CountsWhatWasJudged) {
  const absl::StatusOr<Evaluation> all = Evaluate({});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->judged, 12);
  EXPECT_EQ(all->samples, 12);

  const absl::StatusOr<Evaluation> some = Evaluate({0, 1, 2, 3, 7});  // One batch is empty.
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_EQ(some->judged, 7);
  EXPECT_EQ(some->samples, 12);
  EXPECT_EQ(bad_.size(), 5);
  EXPECT_EQ(bad_.TakeNew().size(), 5);
  EXPECT_EQ(bad_.TakeNew().size(), 0);
}

TEST_F(EvaluationTest, NothingLeftIsAnError) {
  const absl::Status status = Evaluate({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(),
            "none of the 12 samples can be judged; the first is evaluation sample 0, image0: is "
            "damaged");
}

TEST_F(EvaluationTest, TooManyAreAnError) {
  EXPECT_TRUE(Evaluate({1, 2}, /*most=*/2).ok());
  const absl::Status status = Evaluate({1, 2, 5}, /*most=*/2).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("3 samples are damaged, of which 2 may"));
}

}  // namespace
}  // namespace distributed
