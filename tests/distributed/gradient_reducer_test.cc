#include "distributed/data_parallel/gradient_reducer.h"

#include <cstdint>
#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/zeros.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "tests/distributed/world.h"
#include "torch/nn/utils/clip_grad.h"

namespace distributed {
namespace {

constexpr int kParameters = 6;

at::Tensor Random(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::kFloat);
}

// Parameters of different sizes and dtypes, the same on every rank.
std::vector<at::Tensor> MakeParameters() {
  std::vector<at::Tensor> parameters;
  for (int i = 0; i < kParameters; ++i) {
    const at::ScalarType dtype = i % 3 == 2 ? at::kDouble : at::kFloat;
    parameters.push_back(Random({100 * (i + 1), 7}, i).to(dtype).requires_grad_());
  }
  return parameters;
}

// A loss with a gradient for each of `used` that depends on the rank.
at::Tensor Loss(const std::vector<at::Tensor>& parameters, const std::vector<int>& used, int rank,
                int step) {
  at::Tensor loss = at::zeros({}, at::kDouble);
  for (const int i : used) {
    const at::Tensor& p = parameters[i];
    loss = loss + (p.square() * Random(p.sizes(), 1000 * step + 10 * rank + i)).sum();
  }
  return loss;
}

// What one process finds: the mean of all ranks' gradients, added in order of rank.
std::vector<at::Tensor> ExpectedGradients(const std::vector<std::vector<int>>& used_by_rank,
                                          int step) {
  std::vector<std::vector<at::Tensor>> gradients(kParameters);
  for (int rank = 0; rank < World().size(); ++rank) {
    const std::vector<at::Tensor> parameters = MakeParameters();
    Loss(parameters, used_by_rank[rank], rank, step).backward();
    for (int i = 0; i < kParameters; ++i) {
      if (parameters[i].grad().defined()) gradients[i].push_back(parameters[i].grad());
    }
  }
  std::vector<at::Tensor> means(kParameters);
  for (int i = 0; i < kParameters; ++i) {
    if (gradients[i].empty()) continue;
    at::Tensor sum = gradients[i][0].clone();
    for (size_t k = 1; k < gradients[i].size(); ++k) sum += gradients[i][k];
    means[i] = sum / World().size();
  }
  return means;
}

void ExpectGradients(const std::vector<at::Tensor>& parameters,
                     const std::vector<at::Tensor>& expected) {
  for (int i = 0; i < kParameters; ++i) {
    ASSERT_EQ(parameters[i].grad().defined(), expected[i].defined()) << i;
    if (!expected[i].defined()) continue;
    EXPECT_TRUE(at::equal(parameters[i].grad(), expected[i])) << i;
  }
}

const std::vector<int> kAll = {0, 1, 2, 3, 4, 5};

std::vector<std::vector<int>> EveryRankUses(const std::vector<int>& used) {
  return std::vector<std::vector<int>>(World().size(), used);
}

TEST(GradientReducerTest, MeansOverRanksForEverySizeOfBucket) {
  for (const int64_t bucket_bytes : {0, 10000, 1 << 30}) {
    const std::vector<at::Tensor> parameters = MakeParameters();
    GradientReducer reducer(&World(), parameters, {bucket_bytes});
    for (int step = 0; step < 3; ++step) {
      for (const at::Tensor& p : parameters) p.mutable_grad().reset();
      reducer.Start();
      Loss(parameters, kAll, World().rank(), step).backward();
      ASSERT_TRUE(reducer.Finish().ok());
      ExpectGradients(parameters, ExpectedGradients(EveryRankUses(kAll), step));
    }
  }
}

TEST(GradientReducerTest, ParametersThatSomeRanksOrNoneUse) {
  std::vector<std::vector<int>> used = EveryRankUses({0, 3});
  used.back() = {3, 4};  // 1, 2 and 5 are used by no rank, 0 and 4 by some.
  const std::vector<at::Tensor> parameters = MakeParameters();
  GradientReducer reducer(&World(), parameters, {.bucket_bytes = 10000});
  for (int step = 0; step < 2; ++step) {
    for (const at::Tensor& p : parameters) p.mutable_grad().reset();
    reducer.Start();
    Loss(parameters, used[World().rank()], World().rank(), step).backward();
    ASSERT_TRUE(reducer.Finish().ok());
    ExpectGradients(parameters, ExpectedGradients(used, step));
  }
}

TEST(GradientReducerTest, GradientsOfSeveralBackwardPassesAreAveragedOnce) {
  const std::vector<at::Tensor> parameters = MakeParameters();
  GradientReducer reducer(&World(), parameters, {.bucket_bytes = 10000});
  for (int step = 0; step < 2; ++step) {
    for (const at::Tensor& p : parameters) p.mutable_grad().reset();
    Loss(parameters, {1, 2, 3}, World().rank(), /*step=*/0).backward();
    reducer.Start();
    Loss(parameters, {0, 1, 2}, World().rank(), /*step=*/1).backward();
    ASSERT_TRUE(reducer.Finish().ok());
    const std::vector<at::Tensor> first = ExpectedGradients(EveryRankUses({1, 2, 3}), 0);
    const std::vector<at::Tensor> second = ExpectedGradients(EveryRankUses({0, 1, 2}), 1);
    for (int i = 0; i < 4; ++i) {
      const at::Tensor expected = !first[i].defined()    ? second[i]
                                  : !second[i].defined() ? first[i]
                                                         : first[i] + second[i];
      EXPECT_TRUE(parameters[i].grad().allclose(expected, 1e-5, 1e-5)) << i;
    }
    EXPECT_FALSE(parameters[4].grad().defined());
  }
}

TEST(GradientReducerTest, ClippingComputesTheSameNormOnEveryRank) {
  const std::vector<at::Tensor> parameters = MakeParameters();
  GradientReducer reducer(&World(), parameters, {});
  reducer.Start();
  Loss(parameters, kAll, World().rank(), /*step=*/0).backward();
  ASSERT_TRUE(reducer.Finish().ok());
  const double norm = torch::nn::utils::clip_grad_norm_(parameters, /*max_norm=*/5);
  EXPECT_GT(norm, 5);
  const absl::StatusOr<at::Tensor> norms = World().AllGather(at::full({}, norm, at::kDouble));
  const absl::StatusOr<at::Tensor> clipped = World().AllGather(parameters[5].grad());
  ASSERT_TRUE(norms.ok() && clipped.ok());
  for (int rank = 1; rank < World().size(); ++rank) {
    EXPECT_TRUE(at::equal((*norms)[rank], (*norms)[0]));
    EXPECT_TRUE(at::equal((*clipped)[rank], (*clipped)[0]));
  }
}

TEST(ReduceGradientsTest, MeansAndUndefinedGradients) {
  const std::vector<at::Tensor> parameters = MakeParameters();
  Loss(parameters, {0, 2, 5}, World().rank(), /*step=*/0).backward();
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& p : parameters) gradients.push_back(p.grad());
  ASSERT_TRUE(ReduceGradients(World(), parameters, absl::MakeSpan(gradients)).ok());
  const std::vector<at::Tensor> expected = ExpectedGradients(EveryRankUses({0, 2, 5}), 0);
  for (int i = 0; i < kParameters; ++i) {
    ASSERT_EQ(gradients[i].defined(), expected[i].defined());
    if (!expected[i].defined()) continue;
    EXPECT_TRUE(at::equal(gradients[i], expected[i])) << i;
  }
}

}  // namespace
}  // namespace distributed
