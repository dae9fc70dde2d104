#include "distributed/training/phase_times.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

TEST(PhaseTimesTest, CountsEveryPhaseThatBegan) {
  PhaseTimes times;
  EXPECT_EQ(times.Take(), nlohmann::json::object());
  for (const char* phase : {"data", "step", "data"}) times.Begin(phase);
  const nlohmann::json seconds = times.Take();
  ASSERT_EQ(seconds.size(), 2);
  EXPECT_GE(seconds.at("data").get<double>(), 0);
  EXPECT_GE(seconds.at("step").get<double>(), 0);
}

TEST(PhaseTimesTest, GoesOnInThePhaseAfterTaking) {
  PhaseTimes times;
  times.Begin("data");
  times.Begin("step");
  times.Take();
  const nlohmann::json seconds = times.Take();
  EXPECT_EQ(seconds.size(), 1);
  EXPECT_TRUE(seconds.contains("step"));
}

}  // namespace
}  // namespace distributed
