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

TEST(ScheduleTest, ByStepMeetsEveryEpochsEnd) {
  for (const Shape shape : {Shape::kCosine, Shape::kLinear}) {
    const Schedule by_epoch{.shape = shape, .base = 0.5, .epochs = 10, .warmup_epochs = 2};
    Schedule by_step = by_epoch;
    by_step.by_step = true;
    double last = 0;
    for (int epoch = 0; epoch < 10; ++epoch) {
      EXPECT_EQ(by_step.Rate(epoch, 1), by_epoch.Rate(epoch, 1));
      EXPECT_EQ(by_epoch.Rate(epoch, 0.25), by_epoch.Rate(epoch, 1));
      const double quarter = by_step.Rate(epoch, 0.25);
      if (epoch < 2) {
        EXPECT_GT(quarter, last);
      } else if (epoch > 2) {
        EXPECT_LT(quarter, last);
      }
      last = by_step.Rate(epoch, 1);
    }
  }
}

TEST(ScheduleTest, ASingleEpochByStepFallsToItsEnd) {
  const Schedule schedule{.shape = Shape::kCosine, .base = 0.5, .epochs = 1, .by_step = true};
  EXPECT_DOUBLE_EQ(schedule.Rate(0, 0.5), 0.25);
  EXPECT_NEAR(schedule.Rate(0, 1), 0, 1e-16);
}

TEST(ScheduleTest, UnknownShapeNamesTheKnownOnes) {
  EXPECT_EQ(*ParseScheduleShape("linear"), Shape::kLinear);
  EXPECT_THAT(std::string(ParseScheduleShape("poly").status().message()),
              HasSubstr("cosine, linear, step, constant"));
}

}  // namespace
}  // namespace nas
