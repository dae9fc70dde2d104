#include "data/loader/sampler.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <numeric>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace data {
namespace {

constexpr int64_t kCount = 2 * kWindowSamples + 1234;  // neither whole windows nor whole runs

std::vector<int64_t> Samples() {
  std::vector<int64_t> samples(kCount);
  std::iota(samples.begin(), samples.end(), 100);
  return samples;
}

TEST(EpochOrderTest, EveryOrderVisitsEverySampleOnce) {
  const std::vector<int64_t> samples = Samples();
  for (const Order order : {Order::kSequential, Order::kShuffled, Order::kQuasiRandom}) {
    std::vector<int64_t> visited = EpochOrder(samples, order, /*seed=*/1, /*epoch=*/3);
    EXPECT_EQ(visited == samples, order == Order::kSequential);
    std::sort(visited.begin(), visited.end());
    EXPECT_EQ(visited, samples);
  }
}

TEST(EpochOrderTest, SeedAndEpochDecide) {
  const std::vector<int64_t> samples = Samples();
  for (const Order order : {Order::kShuffled, Order::kQuasiRandom}) {
    const auto visited = EpochOrder(samples, order, 1, 3);
    EXPECT_EQ(EpochOrder(samples, order, 1, 3), visited);
    EXPECT_NE(EpochOrder(samples, order, 1, 4), visited);
    EXPECT_NE(EpochOrder(samples, order, 2, 3), visited);
  }
}

TEST(EpochOrderTest, AQuasiRandomWindowTouchesFewRuns) {
  const std::vector<int64_t> order = EpochOrder(Samples(), Order::kQuasiRandom, 1, 0);
  std::set<int64_t> seen;
  for (int64_t first = 0; first < kCount; first += kWindowSamples) {
    std::set<int64_t> runs;
    int64_t steps = 0;  // between neighbours
    const int64_t last = std::min(kCount, first + kWindowSamples);
    for (int64_t i = first; i < last; ++i) {
      runs.insert((order[i] - 100) / kRunSamples);
      steps += i > first && order[i] == order[i - 1] + 1;
    }
    EXPECT_LE(runs.size(), kWindowRuns);
    EXPECT_LT(steps, (last - first) / 100);  // within a window it is a shuffle
    for (const int64_t run : runs) EXPECT_TRUE(seen.insert(run).second);  // so is read once
  }
}

// All that a Seek to another epoch costs: for ImageNet it must stay below a second.
TEST(EpochOrderTest, AMillionSamplesAreOrderedAtOnce) {
  std::vector<int64_t> samples(1281167);
  std::iota(samples.begin(), samples.end(), 0);
  for (const Order order : {Order::kShuffled, Order::kQuasiRandom}) {
    const std::clock_t start = std::clock();
    EXPECT_EQ(EpochOrder(samples, order, 1, 89).size(), samples.size());
    EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 0.5);
  }
}

// The place of a sample in a shuffle is uniform: a tenth of the samples falls in each tenth.
TEST(EpochOrderTest, AShuffleIsUniform) {
  const std::vector<int64_t> samples = Samples();
  std::vector<int> counts(100);
  for (int epoch = 0; epoch < 10; ++epoch) {
    const auto order = EpochOrder(samples, Order::kShuffled, 1, epoch);
    for (int64_t i = 0; i < kCount; ++i) {
      ++counts[10 * i / kCount + 10 * ((order[i] - 100) * 10 / kCount)];
    }
  }
  const double expected = kCount / 10.0;
  for (const int count : counts) EXPECT_NEAR(count, expected, 0.15 * expected);  // 5 sigma
}

TEST(RankShareTest, SharesFollowEachOtherAndAreEvenWhereTheyCan) {
  for (const int64_t count : {0, 1, 5, 64, 1000}) {
    for (const int ranks : {1, 2, 3, 8}) {
      int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto [begin, end] = RankShare(count, rank, ranks);
        EXPECT_EQ(begin, next);
        EXPECT_GE(end - begin, count / ranks);
        EXPECT_LE(end - begin, (count + ranks - 1) / ranks);
        next = end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

}  // namespace
}  // namespace data
