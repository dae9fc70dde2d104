#include "nas/derived/conv_costs.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/derived/cost_report.h"
#include "nas/space/published_genotypes.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kForm = 0, kActivation = 1, kExactBitOps = 3, kPublishedBitOps = 6, kColumns = 9;

class ConvCostsTest : public testing::Test {
 protected:
  const DerivedLayout layout_ =
      MakeDerivedLayout(*PublishedGenotype("PC_DARTS_cifar"),
                        {.image_side = 32, .channels = 8, .layers = 3, .auxiliary = true})
          .value();
  std::vector<ConvBits> bits_ = std::vector<ConvBits>(layout_.convs.size(), {2, 4});
};

TEST_F(ConvCostsTest, AddUpToTheReport) {
  bits_[3] = {4, 4};
  double exact[3] = {}, published[3] = {};
  const Json json = ConvCostsToJson(layout_, bits_);
  for (const auto& [name, costs] : json.items()) {
    for (int i = 0; i < 3; ++i) {
      exact[i] += costs[kExactBitOps + i].get<double>();
      if (costs.size() == kColumns) published[i] += costs[kPublishedBitOps + i].get<double>();
    }
  }
  const CostReport report = MakeCostReport(layout_, bits_);
  const auto expect_sums = [](const double(&sums)[3], const quant::ConvCost& cost) {
    EXPECT_NEAR(sums[0], cost.bit_ops, 1e-9 * cost.bit_ops);
    EXPECT_NEAR(sums[1], cost.activation_memory, 1e-9 * cost.activation_memory);
    EXPECT_NEAR(sums[2], cost.weight_memory, 1e-9 * cost.weight_memory);
  };
  expect_sums(exact, report.exact_network.cost);
  expect_sums(published, report.published_cells.cost);
}

TEST_F(ConvCostsTest, FollowTheNetworkAndSayShapeAndBits) {
  const Json json = ConvCostsToJson(layout_, bits_);
  EXPECT_EQ(json.begin().key(), "stem.0");
  EXPECT_EQ(std::prev(json.end()).key(), "classifier");
  EXPECT_EQ(json["stem.0"][kForm], "3->24 3x3/1 g1 @32");
  EXPECT_EQ(json["stem.0"][kActivation], 32);
  EXPECT_EQ(json["stem.0"].size(), kPublishedBitOps);
  EXPECT_EQ(json["cells.0.preprocess0.conv"][kForm], "24->8 1x1/1 g1 @32");
  EXPECT_EQ(json["cells.0.preprocess0.conv"][kActivation], 2);
  EXPECT_EQ(json["cells.0.preprocess0.conv"][kActivation + 1], 4);
  for (const auto& [name, costs] : json.items())
    EXPECT_THAT(name, testing::Not(testing::HasSubstr("auxiliary")));
}

}  // namespace
}  // namespace nas
