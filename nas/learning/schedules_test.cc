#include "nas/learning/schedules.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

using ::testing::HasSubstr;
using Shape = Schedule::Shape;

TEST(ScheduleTest, CosineEndsAtTheMinimum) {
  const Schedule schedule{.shape = Shape::kCosine, .base = 0.5, .minimum = 0.1, .epochs = 4};
  EXPECT_DOUBLE_EQ(schedule.Rate(1), 0.3);
  EXPECT_DOUBLE_EQ(schedule.Rate(3), 0.1);
}

TEST(ScheduleTest, ASingleEpochLearns) {
  const Schedule schedule{.shape = Shape::kCosine, .base = 0.5, .epochs = 1};
  EXPECT_EQ(schedule.Rate(0), 0.5);
}

TEST(ScheduleTest, WarmUpLeavesLaterEpochsAlone) {
  const Schedule plain{.shape = Shape::kCosine, .base = 0.5, .epochs = 50};
  Schedule warmed = plain;
  warmed.warmup_epochs = 5;
  EXPECT_DOUBLE_EQ(warmed.Rate(0), 0.1);
  EXPECT_DOUBLE_EQ(warmed.Rate(4), 0.5);
  EXPECT_EQ(warmed.Rate(5), plain.Rate(5));
}

TEST(ScheduleTest, LinearFallsSteeplyThenSlowly) {
  const Schedule schedule{.shape = Shape::kLinear, .base = 0.5, .epochs = 250};
  EXPECT_DOUBLE_EQ(schedule.Rate(0), 0.5);
  EXPECT_DOUBLE_EQ(schedule.Rate(244), 0.5 / 245);
  EXPECT_DOUBLE_EQ(schedule.Rate(245), 0.5 / 245);
  EXPECT_DOUBLE_EQ(schedule.Rate(249), 0.5 / 245 / 5);
}

TEST(ScheduleTest, StepDividesByTenEveryFifteenEpochs) {
  const Schedule schedule{.shape = Shape::kStep, .base = 0.1, .epochs = 50};
  EXPECT_DOUBLE_EQ(schedule.Rate(14), 0.1);
  EXPECT_DOUBLE_EQ(schedule.Rate(15), 0.01);
  EXPECT_DOUBLE_EQ(schedule.Rate(49), 1e-4);
}

TEST(ScheduleTest, ConstantStays) {
  const Schedule schedule{.shape = Shape::kConstant, .base = 0.1};
  EXPECT_EQ(schedule.Rate(0), 0.1);
  EXPECT_EQ(schedule.Rate(49), 0.1);
}

TEST(ScheduleTest, UnknownShapeNamesTheKnownOnes) {
  EXPECT_EQ(*ParseScheduleShape("linear"), Shape::kLinear);
  EXPECT_THAT(std::string(ParseScheduleShape("poly").status().message()),
              HasSubstr("cosine, linear, step, constant"));
}

}  // namespace
}  // namespace nas
