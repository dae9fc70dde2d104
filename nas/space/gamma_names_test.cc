#include "nas/space/gamma_names.h"

#include "gtest/gtest.h"

namespace nas {
namespace {

TEST(GammaNamesTest, AreThePublishedOnes) {
  EXPECT_EQ(GammaName(GammaOf::kActivation, /*reduction=*/false), "gamma_activ_celln");
  EXPECT_EQ(GammaName(GammaOf::kWeight, /*reduction=*/true, /*input=*/1),
            "gamma_weight_cellr_preprocess1");
}

TEST(GammaNamesTest, TellGammasFromOtherTensors) {
  EXPECT_TRUE(IsGammaName(GammaName(GammaOf::kWeight, false)));
  EXPECT_FALSE(IsGammaName("alphas_normal"));
}

}  // namespace
}  // namespace nas
