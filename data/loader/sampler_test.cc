#include "data/loader/sampler.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kCount = 2 * kWindowSamples + 1234;  // neither whole windows nor whole runs

std::vector<int64_t> Samples() {
  std::vector<int64_t> samples(kCount);
  std::iota(samples.begin(), samples.end(), 100);
  return samples;
}

TEST(EpochOrderTest, EveryOrderVisitsEverySampleOnce) {
  const std::vector<int64_t> samples = Samples();
  for (const Order order : {Order::kSequential, Order::kShuffled, Order::kQuasiRandom}) {
    for (const int64_t batch : {1, 64, 1000, 30000}) {
      std::vector<int64_t> visited = EpochOrder(samples, order, /*seed=*/1, /*epoch=*/3, batch);
      EXPECT_EQ(visited == samples, order == Order::kSequential);
      std::sort(visited.begin(), visited.end());
      EXPECT_EQ(visited, samples);
    }
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

TEST(EpochOrderTest, LanesAreDivisors) {
  EXPECT_EQ(LanesOf(1), 1);
  EXPECT_EQ(LanesOf(96), 96);
  EXPECT_EQ(LanesOf(1024), 256);
  EXPECT_EQ(LanesOf(1000), 250);
  EXPECT_EQ(LanesOf(509), 1);
}

// Of each run a rank needs all of its samples or none, and soon after each other, until the last
// few batches.
TEST(EpochOrderTest, RanksHaveRunsOfTheirOwn) {
  constexpr int64_t kBatch = 64, kRanks = 4, kShare = kBatch / kRanks;
  std::vector<int64_t> samples(50 * kWindowSamples);
  std::iota(samples.begin(), samples.end(), 0);
  const std::vector<int64_t> order = EpochOrder(samples, Order::kQuasiRandom, 1, 0, kBatch);
  const int64_t lanes_end = order.size() - kBatch * kRunSamples;
  std::vector<int64_t> rank_of(samples.size() / kRunSamples, -1);
  std::vector<int64_t> first_step(rank_of.size());
  int64_t neighbours = 0;
  for (int64_t i = 0; i < lanes_end; ++i) {
    const int64_t run = order[i] / kRunSamples, rank = i % kBatch / kShare, step = i / kBatch;
    if (rank_of[run] < 0) rank_of[run] = rank, first_step[run] = step;
    EXPECT_EQ(rank_of[run], rank);
    EXPECT_LE(step - first_step[run], kWindowSamples / kBatch);
    neighbours += i > 0 && order[i] == order[i - 1] + 1;
  }
  EXPECT_LT(neighbours, lanes_end / 100);  // a shuffle all the same
}

// A split leaves runs with gaps, of any length.
TEST(EpochOrderTest, LanesOfUnequalRunsEndTogether) {
  std::vector<int64_t> samples;
  for (int64_t i = 0; i < 100 * kWindowSamples; ++i) {
    if (i % 7 != 3 && i / kRunSamples % 3 != 1) samples.push_back(i);
  }
  constexpr int64_t kBatch = 128;
  std::vector<int64_t> order = EpochOrder(samples, Order::kQuasiRandom, 1, 0, kBatch);
  std::vector<int64_t> lane_of(100 * kWindowRuns, -1);
  for (size_t i = 0; i + kBatch * kRunSamples < order.size(); ++i) {
    int64_t& lane = lane_of[order[i] / kRunSamples];
    if (lane < 0) lane = i % kBatch;
    EXPECT_EQ(lane, i % kBatch);
  }
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, samples);
}

// All that a Seek to another epoch costs: for ImageNet it must stay below a second.
TEST(EpochOrderTest, AMillionSamplesAreOrderedAtOnce) {
  std::vector<int64_t> samples(1281167);
  std::iota(samples.begin(), samples.end(), 0);
  for (const Order order : {Order::kShuffled, Order::kQuasiRandom}) {
    const std::clock_t start = std::clock();
    EXPECT_EQ(EpochOrder(samples, order, 1, 89, /*global_batch=*/1024).size(), samples.size());
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

TEST(WeightedOrderTest, GroupsComeUpAsTheirSharesAsk) {
  // Samples 10 to 39 of 50; groups by tens, of which the first has none.
  std::vector<int64_t> samples(30);
  std::iota(samples.begin(), samples.end(), 10);
  Sampling sampling = {.groups = {}, .shares = {0.1, 0.55, 0.35}};
  for (int i = 0; i < 50; ++i) sampling.groups.push_back(std::clamp(i / 10 - 1, 0, 2));
  const std::vector<int64_t> order = WeightedOrder(samples, sampling, 3, 0, 50);
  ASSERT_EQ(order.size(), 30);
  std::map<int64_t, int> counts;
  std::vector<int> of_group(3);
  for (const int64_t draw : order) {
    ++counts[draw % 50];
    ++of_group[draw % 50 / 10 - 1];
  }
  EXPECT_THAT(of_group, ElementsAre(3, 17, 10));  // 3, 16.5, 10.5: the first that lost as much.
  for (int64_t i = 20; i < 30; ++i) EXPECT_TRUE(counts[i] == 1 || counts[i] == 2) << i;
  for (int64_t i = 30; i < 40; ++i) EXPECT_EQ(counts[i], 1) << i;
  EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 30);  // No draw twice.
  EXPECT_EQ(WeightedOrder(samples, sampling, 3, 0, 50), order);
  EXPECT_NE(WeightedOrder(samples, sampling, 3, 1, 50), order);
}

TEST(WeightedOrderTest, ClassesThatThereAreComeUpEquallyOften) {
  const std::vector<int64_t> labels = {5, 5, 5, 5, 5, 5, 0, 2, 5, 2};
  const std::vector<int64_t> samples = {0, 1, 2, 3, 4, 5, 7, 8, 9};  // Without class 0.
  const Sampling sampling = ClassBalanced(samples, labels);
  EXPECT_THAT(sampling.shares, ElementsAre(0.5, 0.5));
  int of_class_2 = 0;
  for (int epoch = 0; epoch < 10; ++epoch) {
    for (const int64_t draw : WeightedOrder(samples, sampling, 1, epoch, 10)) {
      of_class_2 += labels[draw % 10] == 2;
    }
  }
  EXPECT_EQ(of_class_2, 50);  // 4.5 of 9, rounded up: its group is the first.
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
