#include "nas/operations/drop_path.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/tensor.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

TEST(DropPathTest, ASampleIsDroppedAlikeAnywhere) {
  const at::Tensor ids = at::arange(1000, at::kLong);
  const at::Tensor masks = DropPathMasks(7, ids, 42, 0.3);
  const at::Tensor share = ids.slice(0, 1, 1000, 4).flip(0);
  EXPECT_TRUE(at::equal(DropPathMasks(7, share, 42, 0.3), masks.index_select(1, share)));
}

TEST(DropPathTest, MasksOfSitesAndSeedsAreIndependent) {
  const at::Tensor ids = at::arange(20000, at::kLong);
  const at::Tensor masks = DropPathMasks(3, ids, 1, 0.3);
  EXPECT_NEAR(masks.mean().item<double>(), 0.7, 0.005);
  const auto both_kept = [](const at::Tensor& a, const at::Tensor& b) {
    return a.mul(b).mean().item<double>();
  };
  EXPECT_NEAR(both_kept(masks[0], masks[1]), 0.49, 0.015);
  EXPECT_NEAR(both_kept(masks[0], DropPathMasks(1, ids, 2, 0.3)[0]), 0.49, 0.015);
}

TEST(DropPathTest, ExpectedValueIsKept) {
  const DropPath drop_path{0.2, at::tensor({0.0f, 1.0f}).unsqueeze(0)};
  const at::Tensor y = drop_path.Apply(at::ones({2, 3, 1, 1}, at::kDouble), 0);
  EXPECT_EQ(y.scalar_type(), at::kDouble);
  EXPECT_EQ(y[0].sum().item<double>(), 0);
  EXPECT_DOUBLE_EQ(y[1].mean().item<double>(), 1.25);
}

}  // namespace
}  // namespace nas
