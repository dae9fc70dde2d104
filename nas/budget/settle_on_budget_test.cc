#include "nas/budget/settle_on_budget.h"

#include "gtest/gtest.h"
#include "nas/derived/derived_layout.h"
#include "nas/supernet/supernet.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr NetworkShape kShape = {.channels = 8, .layers = 5};

TEST(SettleOnBudgetTest, SettlesOnABudget) {
  torch::manual_seed(3);
  const auto supernet = Supernet::Create({.channels = 8, .layers = 5}).value();
  const base::TensorMap state = supernet->State();
  const Architecture free = DeriveArchitecture(state, {.network = kShape}).value();
  for (const double compression : {240, 160, 120, 80, 66}) {
    const CostTarget target = {.compression = compression};
    const Architecture settled = DeriveOnBudget(state, {.network = kShape}, target).value();
    EXPECT_EQ(settled.genotype, free.genotype);
    const DerivedLayout layout = MakeDerivedLayout(settled.genotype, kShape).value();
    EXPECT_NEAR(target.Excess(layout, settled.bits), 1, 0.1) << compression;
  }
}

TEST(SettleOnBudgetTest, AnImpossibleBudgetGivesTheCheapestNetwork) {
  const auto supernet = Supernet::Create({.channels = 8, .layers = 5}).value();
  const Architecture cheapest =
      DeriveOnBudget(supernet->State(), {.network = kShape}, {.compression = 1e6}).value();
  for (const ConvBits& bits : cheapest.bits) EXPECT_EQ(bits, (ConvBits{2, 2}));
}

}  // namespace
}  // namespace nas
