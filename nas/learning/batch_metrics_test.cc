#include "nas/learning/batch_metrics.h"

#include "ATen/ops/tensor.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

TEST(BatchMetricsTest, CountTopKCountsAndToleratesFewClasses) {
  const at::Tensor logits = at::tensor({3., 2., 1., 1., 3., 2.}, at::kDouble).reshape({2, 3});
  const at::Tensor targets = at::tensor({0, 2}, at::kLong);
  EXPECT_EQ(CountTopK(logits, targets, 1), 1);
  EXPECT_EQ(CountTopK(logits, targets, 2), 2);
  EXPECT_EQ(CountTopK(logits, targets, 5), 2);
}

}  // namespace
}  // namespace nas
