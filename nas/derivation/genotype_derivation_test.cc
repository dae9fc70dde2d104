#include "nas/derivation/genotype_derivation.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "ATen/ops/zeros.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/space/genotype.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

class GenotypeDerivationTest : public ::testing::Test {
 protected:
  absl::StatusOr<Genotype> Derive() const {
    return DeriveGenotype(alphas_, alphas_, betas_, betas_);
  }

  void Set(int edge, Primitive primitive, float value) {
    alphas_[edge][static_cast<int>(primitive)] = value;
  }

  at::Tensor alphas_ = at::zeros({14, 8}, at::kFloat);
  at::Tensor betas_ = at::zeros({14}, at::kFloat);
};

TEST_F(GenotypeDerivationTest, OfEqualsTheLowerEdgeAndPrimitiveWin) {
  const auto genotype = Derive();
  ASSERT_TRUE(genotype.ok()) << genotype.status();
  EXPECT_EQ(GenotypeToText({genotype->normal, genotype->normal}), GenotypeToText(*genotype));
  EXPECT_EQ(genotype->normal.concat, (std::vector<int64_t>{2, 3, 4, 5}));
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(genotype->normal.edges[i],
              (GenotypeEdge{Primitive::kMaxPool3x3, static_cast<int64_t>(i % 2)}));
  }
}

TEST_F(GenotypeDerivationTest, StrongestEdgeComesFirstAndNoneNeverWins) {
  Set(8, Primitive::kDilConv3x3, 2);  // node 2, predecessor 3
  Set(6, Primitive::kSkipConnect, 1);
  Set(6, Primitive::kNone, 1.5);
  betas_[5] = -9;
  const auto genotype = Derive();
  ASSERT_TRUE(genotype.ok()) << genotype.status();
  EXPECT_EQ(genotype->reduce.edges[4], (GenotypeEdge{Primitive::kDilConv3x3, 3}));
  EXPECT_EQ(genotype->reduce.edges[5], (GenotypeEdge{Primitive::kSkipConnect, 1}));
}

TEST_F(GenotypeDerivationTest, BetaWeighsEdges) {
  Set(2, Primitive::kSepConv5x5, 3);
  betas_[2] = -9;  // node 1, predecessor 0
  const auto genotype = Derive();
  ASSERT_TRUE(genotype.ok()) << genotype.status();
  EXPECT_EQ(genotype->normal.edges[2], (GenotypeEdge{Primitive::kMaxPool3x3, 1}));
  EXPECT_EQ(genotype->normal.edges[3], (GenotypeEdge{Primitive::kMaxPool3x3, 2}));
}

TEST_F(GenotypeDerivationTest, DoublesDeriveTheSameGenotype) {
  Set(3, Primitive::kSepConv5x5, 0.1);
  const auto genotype = Derive();
  const at::Tensor alphas = alphas_.to(at::kDouble), betas = betas_.to(at::kDouble);
  EXPECT_EQ(*DeriveGenotype(alphas, alphas, betas, betas), *genotype);
}

TEST_F(GenotypeDerivationTest, BadLogitsAreNamed) {
  alphas_[2][3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(std::string(Derive().status().message()),
              HasSubstr("alphas_normal: element 19 is nan"));
  alphas_ = at::zeros({14, 7}, at::kFloat);
  EXPECT_EQ(Derive().status().message(), "alphas_normal: expected shape [14, 8]");
  betas_ = at::zeros({13}, at::kFloat);
  EXPECT_THAT(std::string(Derive().status().message()), HasSubstr("betas_normal: expected"));
}

}  // namespace
}  // namespace nas
