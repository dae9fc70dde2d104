#include "tools/program/memory.h"

#include <cstdint>
#include <memory>

#include "ATen/ops/empty.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "distributed/communication/create_communicator.h"
#include "gflags/gflags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

DECLARE_double(memory_gb);

namespace tools {
namespace {

TEST(MemoryTest, PeakIsTheMostAtATime) {
  const double peak = PeakTensorBytes([] {
    { const at::Tensor gone = at::empty({1000}, at::kByte); }
    const at::Tensor first = at::empty({600}, at::kByte);
    const at::Tensor second = at::empty({700}, at::kByte);
  });
  EXPECT_GE(peak, 1300);
  EXPECT_LT(peak, 1600);  // The allocator may round up.
}

TEST(MemoryTest, AStepGrowsWithItsImages) {
  const auto step = [](int64_t images) {
    const at::Tensor fixed = at::empty({1 << 20}, at::kByte);
    const at::Tensor kept = at::empty({images, 1 << 16}, at::kByte);
  };
  const StepCost cost = MeasureStep(step, 256);
  EXPECT_NEAR(cost.bytes, (1 << 20) + 256 * (1 << 16), 1 << 12);
  EXPECT_GT(cost.seconds, 0);
}

TEST(MemoryTest, AStepTakesAsLongAsItsImages) {
  const auto step = [](int64_t images) { absl::SleepFor(absl::Milliseconds(10) * images); };
  EXPECT_GE(MeasureStep(step, 2).seconds, 0.02);
  // Twice as many take twice as long, more or less: the machine may be busy.
  EXPECT_GT(MeasureStep(step, 100).seconds, 0.5);
}

TEST(MemoryTest, MoreThanThereIsIsRefused) {
  const gflags::FlagSaver saver;
  const auto communicator = *distributed::CreateCommunicator({});
  EXPECT_GT(MachineBytes(), 1e8);
  EXPECT_TRUE(RequireMemory(1e6, *communicator).ok());
  EXPECT_EQ(RequireMemory(1e18, *communicator).code(), absl::StatusCode::kResourceExhausted);
  FLAGS_memory_gb = 2;
  EXPECT_TRUE(RequireMemory(1.9e9, *communicator).ok());
  EXPECT_THAT(std::string(RequireMemory(2.5e9, *communicator).message()),
              testing::AllOf(testing::HasSubstr("--batch: a step needs at least 2.5 GB for 1 rank"),
                             testing::HasSubstr("which may use 2 GB")));
}

}  // namespace
}  // namespace tools
