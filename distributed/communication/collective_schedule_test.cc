#include "distributed/communication/collective_schedule.h"

#include <vector>

#include "gtest/gtest.h"

namespace distributed {
namespace {

constexpr int kMostRanks = 70;

int CeilLog2(int size) {
  int rounds = 0;
  while ((1 << rounds) < size) ++rounds;
  return rounds;
}

// All ranks at once, round by round.
TEST(CollectiveScheduleTest, DisseminationGathersEveryBlockInOrder) {
  for (int size = 1; size <= kMostRanks; ++size) {
    std::vector<std::vector<GatherRound>> rounds(size);
    std::vector<std::vector<int>> blocks(size);
    for (int rank = 0; rank < size; ++rank) {
      rounds[rank] = DisseminationRounds(rank, size);
      ASSERT_EQ(static_cast<int>(rounds[rank].size()), CeilLog2(size));
      blocks[rank] = {rank};
    }
    for (int i = 0; i < CeilLog2(size); ++i) {
      const std::vector<std::vector<int>> before = blocks;
      for (int rank = 0; rank < size; ++rank) {
        const GatherRound& round = rounds[rank][i];
        const GatherRound& sent = rounds[round.from][i];
        ASSERT_EQ(sent.to, rank);
        ASSERT_EQ(sent.blocks, round.blocks);
        ASSERT_EQ(static_cast<int>(blocks[rank].size()), round.first);
        ASSERT_LE(round.blocks, static_cast<int>(before[round.from].size()));
        blocks[rank].insert(blocks[rank].end(), before[round.from].begin(),
                            before[round.from].begin() + round.blocks);
      }
    }
    for (int rank = 0; rank < size; ++rank) {
      ASSERT_EQ(static_cast<int>(blocks[rank].size()), size);
      for (int i = 0; i < size; ++i) EXPECT_EQ(blocks[rank][i], (rank + i) % size);
    }
  }
}

TEST(CollectiveScheduleTest, NoRankMeetsAPeerTwiceOrItself) {
  for (int size = 1; size <= kMostRanks; ++size) {
    for (int rank = 0; rank < size; ++rank) {
      std::vector<bool> met(size, false);
      met[rank] = true;
      for (const GatherRound& round : DisseminationRounds(rank, size)) {
        EXPECT_FALSE(met[round.from]);
        met[round.from] = true;
      }
    }
  }
}

// Whoever is missing, nobody is done: each round waits for a rank that waited for more of them.
TEST(CollectiveScheduleTest, NobodyFinishesAGatherWithoutAll) {
  for (int size = 2; size <= kMostRanks; ++size) {
    for (int missing = 0; missing < size; ++missing) {
      std::vector<bool> waits(size, false);
      waits[missing] = true;
      for (int i = 0; i < CeilLog2(size); ++i) {
        std::vector<bool> next = waits;
        for (int rank = 0; rank < size; ++rank) {
          if (waits[DisseminationRounds(rank, size)[i].from]) next[rank] = true;
        }
        waits = next;
      }
      for (int rank = 0; rank < size; ++rank) EXPECT_TRUE(waits[rank]) << size << " " << missing;
    }
  }
}

TEST(CollectiveScheduleTest, TheTreeReachesEveryRankOnceFromEveryRoot) {
  for (int size = 1; size <= kMostRanks; ++size) {
    for (int root = 0; root < size; ++root) {
      EXPECT_EQ(BinomialTree(root, size, root).parent, -1);
      std::vector<int> depths(size, -1);
      depths[root] = 0;
      std::vector<int> reached = {root};
      for (size_t i = 0; i < reached.size(); ++i) {
        const BroadcastPeers peers = BinomialTree(reached[i], size, root);
        EXPECT_LE(static_cast<int>(peers.children.size()), CeilLog2(size));
        for (const int child : peers.children) {
          ASSERT_TRUE(child >= 0 && child < size);
          ASSERT_EQ(depths[child], -1) << "reached twice";
          EXPECT_EQ(BinomialTree(child, size, root).parent, reached[i]);
          depths[child] = depths[reached[i]] + 1;
          EXPECT_LE(depths[child], CeilLog2(size));
          reached.push_back(child);
        }
      }
      EXPECT_EQ(static_cast<int>(reached.size()), size);
    }
  }
}

}  // namespace
}  // namespace distributed
