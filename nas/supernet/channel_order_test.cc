#include "nas/supernet/channel_order.h"

#include <set>

#include "ATen/ops/equal.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/randn.h"
#include "gtest/gtest.h"
#include "nas/supernet/mix_node.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr int64_t kChannels = 12, kPartial = 3, kProcessed = kChannels / kPartial;

// What a node gets of one edge whose only operation passes on what it reads, times 2; the others
// pass by times 3.
at::Tensor Edge(const ChannelOrder& order, const at::Tensor& x) {
  const at::Tensor taken = order.Take(x);
  return order.PutBack(MixNode(2 * at::ones({1}), {taken.narrow(1, 0, kProcessed)},
                               3 * at::ones({1}),
                               {taken.narrow(1, kProcessed, kChannels - kProcessed)}));
}

// The channels that were processed.
std::set<int64_t> Processed(const at::Tensor& x, const at::Tensor& y) {
  std::set<int64_t> processed;
  for (int64_t c = 0; c < kChannels; ++c) {
    const bool twice = at::equal(y.select(1, c), 2 * x.select(1, c));
    if (twice) processed.insert(c);
    EXPECT_TRUE(twice || at::equal(y.select(1, c), 3 * x.select(1, c))) << c;
  }
  return processed;
}

TEST(ChannelOrderTest, TheFirstChannelsUntilAnOrderIsDrawn) {
  const at::Tensor x = at::randn({2, kChannels, 3, 3});
  EXPECT_EQ(Processed(x, Edge(ChannelOrder(kChannels, kPartial), x)),
            (std::set<int64_t>{0, 1, 2, 3}));
}

TEST(ChannelOrderTest, EveryChannelIsProcessedInTurnAndKeepsItsPlace) {
  torch::manual_seed(2);
  const at::Tensor x = at::randn({2, kChannels, 3, 3});
  ChannelOrder order(kChannels, kPartial);
  std::set<int64_t> ever;
  for (int i = 0; i < 30; ++i) {
    order.Draw();
    const std::set<int64_t> processed = Processed(x, Edge(order, x));
    EXPECT_EQ(processed.size(), kProcessed);
    ever.insert(processed.begin(), processed.end());
  }
  EXPECT_EQ(ever.size(), kChannels);
}

}  // namespace
}  // namespace nas
