#include "nas/derivation.h"

#include <memory>
#include <string>

#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "gtest/gtest.h"
#include "nas/cost_target.h"
#include "nas/genotype_derivation.h"
#include "nas/supernet.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr NetworkShape kShape = {.channels = 8, .layers = 5};

TEST(DerivationTest, TakesTheLargestLogits) {
  const auto supernet = Supernet::Create({.channels = 8, .layers = 5}).value();
  const base::TensorMap state = supernet->State();
  {
    const c10::NoGradGuard no_grad;
    for (const auto& [name, tensor] : state) {
      if (name.rfind("gamma_", 0) == 0) tensor.zero_().select(-1, name[6] == 'a' ? 1 : 0).fill_(1);
    }
  }
  const Architecture architecture = DeriveArchitecture(state, {.network = kShape}).value();
  EXPECT_EQ(architecture.genotype,
            DeriveGenotype(state.at("alphas_normal"), state.at("alphas_reduce"),
                           state.at("betas_normal"), state.at("betas_reduce"))
                .value());
  for (const ConvBits& bits : architecture.bits) EXPECT_EQ(bits, (ConvBits{4, 2}));
}

TEST(DerivationTest, ASingleCandidateNeedsNoGammas) {
  const auto supernet = Supernet::Create({.channels = 8, .layers = 5, .bits = {32}}).value();
  const Architecture architecture =
      DeriveArchitecture(supernet->State(), {.network = kShape, .bits = {32}}).value();
  for (const ConvBits& bits : architecture.bits) EXPECT_EQ(bits, (ConvBits{32, 32}));
}

TEST(DerivationTest, SettlesOnABudget) {
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

TEST(DerivationTest, AnImpossibleBudgetGivesTheCheapestNetwork) {
  const auto supernet = Supernet::Create({.channels = 8, .layers = 5}).value();
  const Architecture cheapest =
      DeriveOnBudget(supernet->State(), {.network = kShape}, {.compression = 1e6}).value();
  for (const ConvBits& bits : cheapest.bits) EXPECT_EQ(bits, (ConvBits{2, 2}));
}

TEST(DerivationTest, NamesWhatIsMissing) {
  EXPECT_EQ(DeriveArchitecture({}, {.network = kShape}).status().message(),
            "alphas_normal: is missing");
}

}  // namespace
}  // namespace nas
