#include "nas/learning/clip_gradients.h"

#include <cmath>
#include <limits>

#include "ATen/Parallel.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "gtest/gtest.h"
#include "torch/nn/utils/clip_grad.h"
#include "torch/utils.h"

namespace nas {
namespace {

// Of many sizes; every fifth has no gradient.
std::vector<at::Tensor> WithGradients(int count) {
  torch::manual_seed(1);
  std::vector<at::Tensor> parameters;
  for (int i = 0; i < count; ++i) {
    parameters.push_back(at::randn({i % 7 + 1, i + 1}).set_requires_grad(true));
    if (i % 5 != 4) parameters.back().mutable_grad() = at::randn(parameters.back().sizes());
  }
  return parameters;
}

TEST(ClipGradientsTest, GivesTheBitsOfLibTorchsOnAnyNumberOfThreads) {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  const int threads_before = at::get_num_threads();
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    for (const int count : {1, 150}) {
      for (const double max_norm : {0.5, 1e6, kUnbounded}) {
        const std::vector<at::Tensor> ours = WithGradients(count), theirs = WithGradients(count);
        const at::Tensor norm = ClipGradients(ours, max_norm);
        EXPECT_EQ(norm.item<double>(), torch::nn::utils::clip_grad_norm_(theirs, max_norm));
        for (int i = 0; i < count; ++i) {
          ASSERT_EQ(ours[i].grad().defined(), theirs[i].grad().defined());
          if (!ours[i].grad().defined()) continue;
          EXPECT_TRUE(at::equal(ours[i].grad(), theirs[i].grad())) << i << ", " << max_norm;
        }
      }
    }
  }
  at::set_num_threads(threads_before);
}

TEST(ClipGradientsTest, OneThatIsNotFiniteIsInTheNorm) {
  const std::vector<at::Tensor> parameters = WithGradients(50);
  parameters[10].mutable_grad().fill_(std::nan(""));
  EXPECT_TRUE(std::isnan(ClipGradients(parameters, 5).item<double>()));
}

TEST(ClipGradientsTest, WithoutGradientsTheNormIsZero) {
  EXPECT_EQ(ClipGradients({at::randn({3})}, 5).item<double>(), 0);
  EXPECT_EQ(ClipGradients({}, 5).item<double>(), 0);
}

}  // namespace
}  // namespace nas
