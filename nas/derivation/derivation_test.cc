#include "nas/derivation/derivation.h"

#include <memory>
#include <string>

#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "gtest/gtest.h"
#include "nas/derivation/genotype_derivation.h"
#include "nas/supernet/supernet.h"

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

TEST(DerivationTest, NamesWhatIsMissing) {
  EXPECT_EQ(DeriveArchitecture({}, {.network = kShape}).status().message(),
            "alphas_normal: is missing");
}

}  // namespace
}  // namespace nas
