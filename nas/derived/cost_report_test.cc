#include "nas/derived/cost_report.h"

#include <cstddef>
#include <vector>

#include "gtest/gtest.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/published_genotypes.h"
#include "nlohmann/json.hpp"
#include "quant/bit_cost.h"

namespace nas {
namespace {

class CostReportTest : public ::testing::Test {
 protected:
  const DerivedLayout layout_ =
      MakeDerivedLayout(*PublishedGenotype("DARTS_V2"), {.channels = 4, .layers = 3}).value();
  std::vector<ConvBits> bits_ = std::vector<ConvBits>(layout_.convs.size(), ConvBits{2, 4});
};

TEST_F(CostReportTest, CostsAddUp) {
  bits_[3] = {8, 1};
  const CostReport whole = MakeCostReport(layout_, bits_);
  DerivedLayout first = layout_, second = layout_;
  first.convs.resize(10);
  second.convs.erase(second.convs.begin(), second.convs.begin() + 10);
  quant::ConvCost sum =
      MakeCostReport(first, {bits_.begin(), bits_.begin() + 10}).published_cells.cost;
  sum += MakeCostReport(second, {bits_.begin() + 10, bits_.end()}).published_cells.cost;
  EXPECT_DOUBLE_EQ(whole.published_cells.cost.bit_ops, sum.bit_ops);
  EXPECT_DOUBLE_EQ(whole.published_cells.cost.activation_memory, sum.activation_memory);
  EXPECT_DOUBLE_EQ(whole.published_cells.cost.weight_memory, sum.weight_memory);
}

TEST_F(CostReportTest, TheNetworkAddsItsFloatLayers) {
  const CostReport report = MakeCostReport(layout_, bits_);
  // The stem's 3x3 convolution to 12 channels, and the classifier of 4 * 16 channels.
  const double stem_macs = 27 * 12 * 32 * 32, classifier_macs = 64 * 10;
  EXPECT_DOUBLE_EQ(report.exact_network.cost.bit_ops - report.exact_cells.cost.bit_ops,
                   32 * 32 * (stem_macs + classifier_macs));
  EXPECT_DOUBLE_EQ(report.exact_network.cost.weight_memory - report.exact_cells.cost.weight_memory,
                   4 * (27 * 12 + 640));
}

TEST_F(CostReportTest, CompressionIsAgainst32Bits) {
  const quant::ConvCost compression = MakeCostReport(layout_, bits_).published_cells.Compression();
  EXPECT_DOUBLE_EQ(compression.bit_ops, 32 * 32 / 8);
  EXPECT_DOUBLE_EQ(compression.activation_memory, 16);
  EXPECT_DOUBLE_EQ(compression.weight_memory, 8);
}

TEST_F(CostReportTest, JsonNamesUnits) {
  const nlohmann::ordered_json json = CostReportToJson(MakeCostReport(layout_, bits_));
  EXPECT_EQ(json["parameters"], layout_.num_parameters);
  EXPECT_GT(json["published_cells"]["bit_ops_millions"], 0);
  EXPECT_GT(json["exact_network"]["weight_bytes"], json["exact_cells"]["weight_bytes"]);
}

}  // namespace
}  // namespace nas
