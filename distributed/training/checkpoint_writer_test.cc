#include "distributed/training/checkpoint_writer.h"

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CheckpointWriterTest : public testing::Test {
 protected:
  CheckpointWriterTest()
      : folder_(std::string(getenv("TEST_TMPDIR")) + "/" +
                testing::UnitTest::GetInstance()->current_test_info()->name()),
        store_(folder_, /*keep=*/10) {
    EXPECT_TRUE(store_.Open().ok());
  }

  static Checkpoint Make(const at::Tensor& tensor) { return {{{"t", tensor}}, {{"kind", "test"}}}; }

  const std::string folder_;
  CheckpointStore store_;
};

TEST_F(CheckpointWriterTest, WhatChangesAfterwardsIsNotInIt) {
  CheckpointWriter writer(&store_);
  const at::Tensor tensor = at::full({1 << 20}, 1.0);
  for (int64_t step = 1; step <= 5; ++step) {
    tensor.fill_(static_cast<double>(step));
    ASSERT_TRUE(writer.Start(step, Make(tensor), std::nullopt).ok());
    tensor.fill_(-1);
  }
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_TRUE(writer.Check().ok());
  EXPECT_THAT(*store_.Steps(), ElementsAre(1, 2, 3, 4, 5));
  for (int64_t step = 1; step <= 5; ++step) {
    const absl::StatusOr<Checkpoint> read = ReadCheckpoint(store_.Path(step));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(at::equal(read->state.at("t"), at::full({1 << 20}, static_cast<double>(step))));
  }
}

TEST_F(CheckpointWriterTest, ItsEndWaits) {
  {
    CheckpointWriter writer(&store_);
    ASSERT_TRUE(writer.Start(7, Make(at::full({1 << 20}, 7.0)), 0.5).ok());
  }
  EXPECT_THAT(*store_.Steps(), ElementsAre(7));
}

TEST_F(CheckpointWriterTest, AnErrorIsToldOnceAndTheNextCheckpointIsNotBegun) {
  CheckpointWriter writer(&store_);
  std::filesystem::remove_all(folder_);
  ASSERT_TRUE(writer.Start(1, Make(at::full({3}, 1.0)), std::nullopt).ok());
  const absl::Status status = writer.Start(2, Make(at::full({3}, 2.0)), std::nullopt);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_));
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_FALSE(std::filesystem::exists(folder_));

  ASSERT_TRUE(writer.Start(3, Make(at::full({3}, 3.0)), std::nullopt).ok());
  absl::Status checked;
  while (checked.ok()) checked = writer.Check();
  EXPECT_THAT(std::string(checked.message()), HasSubstr("there is no earlier checkpoint"));
}

}  // namespace
}  // namespace distributed
