#include "nas/budget/cost_target.h"

#include <vector>

#include "gtest/gtest.h"
#include "nas/derived/cost_report.h"
#include "nas/space/published_genotypes.h"

namespace nas {
namespace {

TEST(CostTargetTest, ComparesWithBitOpsOrCompression) {
  const DerivedLayout layout =
      MakeDerivedLayout(*PublishedGenotype("DARTS_V2"), {.channels = 8, .layers = 4}).value();
  const std::vector<ConvBits> bits(layout.convs.size(), ConvBits{4, 2});
  const CostReport report = MakeCostReport(layout, bits);
  EXPECT_DOUBLE_EQ(CostTarget{.bit_ops = report.exact_cells.cost.bit_ops / 2}.Excess(layout, bits),
                   2);
  const double published = report.published_cells.cost.bit_ops;
  EXPECT_DOUBLE_EQ((CostTarget{.bit_ops = published, .model = quant::CostModel::kPublished}.Excess(
                       layout, bits)),
                   1);
  EXPECT_DOUBLE_EQ(CostTarget{.compression = 64}.Excess(layout, bits), 0.5);  // 32·32 / (4·2) = 128
  EXPECT_DOUBLE_EQ(CostTarget{.compression = 64}.Budget(layout),
                   2 * report.exact_cells.cost.bit_ops);
  EXPECT_EQ(CostTarget{.bit_ops = 1000}.Budget(layout), 1000);
}

TEST(CostTargetTest, NamesWhatIsWrong) {
  EXPECT_TRUE(CostTarget{}.Check().ok());
  EXPECT_FALSE(CostTarget{}.is_set());
  EXPECT_EQ(CostTarget{.bit_ops = -1}.Check().message(),
            "target_bitops is -1, allowed are 0 (no budget) or more");
  EXPECT_EQ((CostTarget{.bit_ops = 1, .compression = 1}.Check().message()),
            "target_bitops and target_compression are both given, allowed is one budget");
}

}  // namespace
}  // namespace nas
