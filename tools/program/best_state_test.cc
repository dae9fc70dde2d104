#include "tools/program/best_state.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "ATen/ops/equal.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/training/checkpoint.h"
#include "distributed/training/testing_task.h"
#include "gtest/gtest.h"

namespace tools {
namespace {

class BestStateTest : public testing::Test {
 protected:
  BestStateTest()
      : folder_(absl::StrCat(getenv("TEST_TMPDIR"), "/",
                             testing::UnitTest::GetInstance()->current_test_info()->name())),
        store_(folder_ + "/checkpoints", /*keep=*/3),
        communicator_(distributed::MakeSingleCommunicator()),
        task_(communicator_.get(), {}) {
    EXPECT_TRUE(store_.Open().ok());
  }

  // The task's state with every tensor shifted by `step`.
  base::TensorMap StateOf(int64_t step) const {
    base::TensorMap state;
    for (const auto& [name, tensor] : initial_) state.emplace(name, tensor + step);
    return state;
  }

  void Write(int64_t step, std::optional<double> score) {
    ASSERT_TRUE(store_.Write(step, {StateOf(step), {{"global_step", step}}}, score).ok());
  }

  const std::string folder_;
  distributed::CheckpointStore store_;
  const std::unique_ptr<distributed::Communicator> communicator_;
  distributed::TestingTask task_;
  const base::TensorMap initial_ = [this] {
    base::TensorMap state;
    for (const auto& [name, tensor] : task_.State()) state.emplace(name, tensor.detach().clone());
    return state;
  }();
};

TEST_F(BestStateTest, IsThatOfTheHighestScore) {
  Write(1, 0.5);
  Write(2, 0.75);
  Write(3, 0.25);
  const absl::StatusOr<bool> found = LoadBestState(folder_, task_, *communicator_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(*found);
  for (const auto& [name, tensor] : StateOf(2)) {
    EXPECT_TRUE(at::equal(task_.State().at(name), tensor)) << name;
  }
}

TEST_F(BestStateTest, WithoutAnEvaluationThereIsNone) {
  Write(1, std::nullopt);
  EXPECT_FALSE(LoadBestState(folder_, task_, *communicator_).value());
  for (const auto& [name, tensor] : initial_) {
    EXPECT_TRUE(at::equal(task_.State().at(name), tensor)) << name;
  }
}

TEST_F(BestStateTest, ADamagedOneIsNamed) {
  Write(1, 0.75);
  Write(2, 0.25);
  const std::string file = store_.Path(1) + "/state.pt";
  ASSERT_TRUE(base::WriteFileAtomically(file, "cut short").ok());
  const absl::Status status = LoadBestState(folder_, task_, *communicator_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(std::string(status.message()).find(file), std::string::npos) << status;
}

}  // namespace
}  // namespace tools
