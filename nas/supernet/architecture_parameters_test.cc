#include "nas/supernet/architecture_parameters.h"

#include "ATen/ops/randn.h"
#include "gtest/gtest.h"
#include "nas/supernet/gradient_check.h"

namespace nas {
namespace {

TEST(CellMixtureTest, ProbabilitiesAreSoftmaxesOverOperationsAndOverANodesEdges) {
  const at::Tensor alpha = at::randn({14, 8}, at::kDouble), beta = at::randn({14}, at::kDouble);
  const CellMixture mixture(alpha, beta);
  // Of node 2, whose edges are 5, 6, 7, 8; operation 4 is sep_conv_3x3.
  const at::Tensor edges = beta.slice(0, 5, 9).exp() / beta.slice(0, 5, 9).exp().sum();
  EXPECT_TRUE(mixture.edges[2].allclose(edges));
  const double expected = (alpha[6][4].exp() / alpha[6].exp().sum() * edges[1]).item<double>();
  EXPECT_NEAR(mixture.probabilities[6][4].item<double>(), expected, 1e-15);
  // Without none, edge by edge: edge 6 is the second of its node.
  EXPECT_NEAR(mixture.operations[2][7 + 4 - 1].item<double>(), expected, 1e-15);
  EXPECT_NEAR(mixture.probabilities.sum().item<double>(), 4, 1e-14);
}

TEST(CellMixtureTest, GradientsAreThoseOfFiniteDifferences) {
  const at::Tensor alpha = at::randn({14, 8}, at::kDouble), beta = at::randn({14}, at::kDouble);
  EXPECT_LT(GradientError({alpha, beta}, [&] { return CellMixture(alpha, beta).operations[3]; }),
            1e-8);
}

TEST(ArchitectureParametersTest, StartSmallAndAreNamedAsPublished) {
  const ArchitectureParameters parameters;
  for (const char* name : {"alphas_normal", "alphas_reduce", "betas_normal", "betas_reduce"}) {
    const at::Tensor& tensor = parameters->named_parameters()[name];
    EXPECT_LT(tensor.abs().max().item<double>(), 0.01);
    EXPECT_GT(tensor.abs().max().item<double>(), 0);
  }
}

}  // namespace
}  // namespace nas
