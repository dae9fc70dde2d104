#include "distributed/training/progress.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

const Progress kProgress = {.epoch = 2,
                            .epochs = 50,
                            .step = 8,
                            .steps = 20,
                            .means = {{"accuracy", 0.5}, {"gradient_norm", 3}, {"loss", 1.25}},
                            .images_per_second = 812.4,
                            .left = absl::Seconds(753.9)};

TEST(ProgressTest, ThePlainLineHasEverything) {
  EXPECT_EQ(ProgressLine(kProgress),
            "epoch 2/50 step 8/20 accuracy 0.5000 gradient_norm 3.0000 loss 1.2500 812 images/s "
            "ETA 12m33s");
}

TEST(ProgressTest, TheBarHasTheFewThatMatterAsFarAsTheyFit) {
  const std::string bar = "epoch 2/50 [########............]  40% 812 images/s, 0:12:33 left";
  EXPECT_EQ(ProgressBar(kProgress, 200), bar + ", loss 1.250, accuracy 0.500");
  EXPECT_EQ(ProgressBar(kProgress, 80), bar + ", loss 1.250");
  EXPECT_EQ(ProgressBar(kProgress, 50), "epoch 2/50  40% 812 images/s, 0:12:33 left");
  for (int width = 0; width < 100; ++width) {
    EXPECT_LE(ProgressBar(kProgress, width).size(), width);
  }
}

TEST(ProgressTest, BeforeTheFirstReportNothingIsKnown) {
  EXPECT_EQ(ProgressBar({.epochs = 3, .step = 20, .steps = 20}, 80),
            "epoch 1/3 [####################] 100%");
}

TEST(ProgressTest, Durations) {
  EXPECT_EQ(ShortDuration(absl::Seconds(59)), "0:00:59");
  EXPECT_EQ(ShortDuration(absl::Hours(27) + absl::Seconds(61)), "1 d 03:01:01");
  EXPECT_EQ(ShortDuration(absl::InfiniteDuration()), "?");
}

TEST(ProgressTest, ColumnsOfTheTableStandBelowTheirNames) {
  EpochResult result = {.epoch = 9,
                        .epochs = 50,
                        .took = absl::Seconds(61),
                        .means = {{"loss", 2}, {"search_accuracy", 0.125}},
                        .evaluation = {{"accuracy", 0.5}, {"loss", 1}},
                        .judged = 9,
                        .samples = 10};
  const TableLine line = EpochTableLine(result);
  EXPECT_EQ(line.header,
            "     epoch      time      loss  search_accuracy  test loss  test accuracy");
  EXPECT_EQ(line.row, "      9/50   0:01:01    2.0000           0.1250     1.0000         0.5000");
  EXPECT_EQ(EvaluationLine(result),
            "evaluation after epoch 9/50 accuracy 0.5000 loss 1.0000 of 9 of 10 samples");
}

}  // namespace
}  // namespace distributed
