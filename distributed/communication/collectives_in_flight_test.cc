#include "distributed/communication/collectives_in_flight.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

class CollectivesInFlightTest : public testing::Test {
 protected:
  // Number `sequence`, which is over once over_[sequence] is set.
  void Add(int channel) {
    const auto sequence = static_cast<int64_t>(over_.size());
    over_.push_back(false);
    in_flight_.Add(channel, {.what = std::to_string(sequence),
                             .sequence = sequence,
                             .deadline = absl::UnixEpoch() + absl::Seconds(sequence),
                             .over = [this, sequence] { return over_[sequence]; }});
  }

  int64_t First() {
    const auto first = in_flight_.First();
    return first.has_value() ? first->sequence : -1;
  }

  std::vector<bool> over_;
  CollectivesInFlight in_flight_{2};
};

TEST_F(CollectivesInFlightTest, TheFirstOfBothChannels) {
  EXPECT_EQ(First(), -1);
  for (const int channel : {0, 1, 1, 0, 1}) Add(channel);
  EXPECT_EQ(First(), 0);
  EXPECT_EQ(in_flight_.First()->deadline, absl::UnixEpoch());
}

TEST_F(CollectivesInFlightTest, WhatIsOverOnOneChannelSaysNothingOfTheOther) {
  for (const int channel : {0, 1, 1, 0, 1}) Add(channel);
  over_[1] = over_[2] = true;
  EXPECT_EQ(First(), 0) << "a small one behind a large one";
  over_[0] = true;
  EXPECT_EQ(First(), 3);
  over_[3] = true;
  EXPECT_EQ(First(), 4);
  over_[4] = true;
  EXPECT_EQ(First(), -1);
}

TEST_F(CollectivesInFlightTest, WithinAChannelOneIsNotOverBeforeThoseInFrontOfIt) {
  for (const int channel : {0, 0}) Add(channel);
  over_[1] = true;
  EXPECT_EQ(First(), 0);
}

}  // namespace
}  // namespace distributed
