#include "nas/learning/batch_metrics.h"

#include "ATen/ops/empty.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"
#include "nas/learning/losses.h"

namespace nas {
namespace {

TEST(BatchMetricsTest, CountTopKCountsAndToleratesFewClasses) {
  const at::Tensor logits = at::tensor({3., 2., 1., 1., 3., 2.}, at::kDouble).reshape({2, 3});
  const at::Tensor targets = at::tensor({0, 2}, at::kLong);
  EXPECT_EQ(CountTopK(logits, targets, 1).item<double>(), 1);
  EXPECT_EQ(CountTopK(logits, targets, 2).item<double>(), 2);
  EXPECT_EQ(CountTopK(logits, targets, 5).item<double>(), 2);
}

// A rank without samples has nothing to add, and a backward pass like the others'.
TEST(BatchMetricsTest, EmptyShareHasGradientsOfZero) {
  const at::Tensor weights = at::ones({3, 4}, at::kDouble).requires_grad_();
  const distributed::Batch batch = {.images = at::empty({0, 4}, at::kDouble),
                                    .labels = at::empty({0}, at::kLong),
                                    .sample_ids = at::empty({0}, at::kLong),
                                    .global_count = 5,
                                    .loss_weight = 0.4};
  const at::Tensor logits = batch.images.matmul(weights.t());
  const at::Tensor loss = CrossEntropy(logits, batch.labels);
  const at::Tensor global = GlobalLoss(loss, batch);
  EXPECT_EQ(global.item<double>(), 0);
  global.backward();
  EXPECT_TRUE(at::equal(weights.grad(), at::zeros({3, 4}, at::kDouble)));

  distributed::Metrics metrics;
  AddMetrics("", loss, logits, batch.labels, metrics);
  EXPECT_TRUE(metrics.empty());
}

}  // namespace
}  // namespace nas
