#include "distributed/training/run_environment.h"

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

TEST(RunEnvironmentTest, SaysWhatTheRunRunsOn) {
  const nlohmann::ordered_json environment = RunEnvironment(3);
  EXPECT_EQ(environment.at("ranks"), 3);
  EXPECT_GE(environment.at("threads").get<int>(), 1);
  EXPECT_FALSE(environment.at("instruction_set").get<std::string>().empty());
  EXPECT_FALSE(environment.at("torch").get<std::string>().empty());
}

TEST(RunEnvironmentTest, PeakMemoryGrowsWithWhatIsTouched) {
  const int64_t before = PeakMemoryBytes();
  EXPECT_GT(before, 1 << 20);
  const std::string touched(before, 'x');
  EXPECT_GT(PeakMemoryBytes(), before);
  EXPECT_EQ(touched.back(), 'x');
}

}  // namespace
}  // namespace distributed
