#include <cstdint>
#include <string>
#include <utility>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/allclose.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "distributed/data_parallel/batch_norm.h"
#include "gtest/gtest.h"
#include "tests/distributed/world.h"
#include "torch/nn/modules/batchnorm.h"

namespace distributed {
namespace {

constexpr int64_t kChannels = 5;
constexpr int64_t kSamples = 7;  // Does not divide by the number of ranks.

at::Tensor Random(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::kDouble).to(dtype);
}

// This rank's samples; with more ranks than samples some have none.
at::Tensor Share(const at::Tensor& global, int64_t samples) {
  const int64_t rank = World().rank(), size = World().size();
  return global.slice(0, samples * rank / size, samples * (rank + 1) / size);
}

struct Outcome {
  at::Tensor y, dx, dweight, dbias, running_mean, running_var;
};

// Normalizes x twice, so that running statistics are averaged, and backpropagates Σ dy·y.
template <typename BatchNorm>
Outcome Normalize(BatchNorm& batch_norm, const at::Tensor& x, const at::Tensor& dy, bool affine) {
  batch_norm->forward(x * 2 + 1);
  at::Tensor input = x.detach().clone().requires_grad_();
  const at::Tensor y = batch_norm->forward(input);
  (y * dy).sum().backward();
  return {y.detach(),
          input.grad(),
          affine ? batch_norm->weight.grad() : at::Tensor(),
          affine ? batch_norm->bias.grad() : at::Tensor(),
          batch_norm->running_mean,
          batch_norm->running_var};
}

template <typename BatchNorm>
BatchNorm Make(bool affine, at::ScalarType dtype) {
  BatchNorm batch_norm(torch::nn::BatchNormOptions(kChannels).affine(affine));
  batch_norm->to(dtype);
  if (affine) {
    batch_norm->weight.set_data(Random({kChannels}, 3, dtype));
    batch_norm->bias.set_data(Random({kChannels}, 4, dtype));
  }
  return batch_norm;
}

// Compares all ranks' shares with LibTorch's layer on the whole batch.
void ExpectAgreement(int64_t samples, bool affine, at::ScalarType dtype, double tolerance) {
  SCOPED_TRACE(testing::Message() << samples << " samples, affine " << affine);
  // A mean far from 0 shows sums of squares that cancel.
  const at::Tensor x = Random({samples, kChannels, 3, 2}, 1, dtype) + 50;
  const at::Tensor dy = Random({samples, kChannels, 3, 2}, 2, dtype);
  auto reference = Make<torch::nn::BatchNorm2d>(affine, dtype);
  const Outcome expected = Normalize(reference, x, dy, affine);
  auto batch_norm = Make<BatchNorm2d>(affine, dtype);
  batch_norm->set_communicator(&World());
  const Outcome outcome = Normalize(batch_norm, Share(x, samples), Share(dy, samples), affine);

  const auto close = [&](const at::Tensor& actual, const at::Tensor& wanted) {
    return at::allclose(actual, wanted, tolerance, tolerance);
  };
  EXPECT_TRUE(close(outcome.y, Share(expected.y, samples)));
  EXPECT_TRUE(close(outcome.dx, Share(expected.dx, samples)));
  EXPECT_TRUE(close(outcome.running_mean, expected.running_mean));
  EXPECT_TRUE(close(outcome.running_var, expected.running_var));
  EXPECT_EQ(batch_norm->num_batches_tracked.template item<int64_t>(), 2);
  if (affine) {
    ASSERT_TRUE(World().AllReduce(outcome.dweight, ReduceOp::kSum).ok());
    ASSERT_TRUE(World().AllReduce(outcome.dbias, ReduceOp::kSum).ok());
    EXPECT_TRUE(close(outcome.dweight, expected.dweight));
    EXPECT_TRUE(close(outcome.dbias, expected.dbias));
  }
  const absl::StatusOr<at::Tensor> variances = World().AllGather(outcome.running_var);
  ASSERT_TRUE(variances.ok());
  for (int rank = 1; rank < World().size(); ++rank) {
    EXPECT_TRUE(at::equal((*variances)[0], (*variances)[rank])) << "bits of rank " << rank;
  }

  batch_norm->eval();
  reference->eval();
  EXPECT_TRUE(close(batch_norm->forward(x), reference->forward(x)));
}

TEST(SyncBatchNormTest, RanksComputeWhatOneComputesOnTheWholeBatch) {
  for (const bool affine : {false, true}) {
    for (const int64_t samples : {kSamples, int64_t{1}}) {
      ExpectAgreement(samples, affine, at::kDouble, 1e-11);
      ExpectAgreement(samples, affine, at::kFloat, 2e-4);
    }
  }
}

TEST(SyncBatchNormTest, WithoutACommunicatorBitsAreLibTorchs) {
  const at::Tensor x = Random({kSamples, kChannels, 3, 2}, 1, at::kFloat);
  const at::Tensor dy = Random({kSamples, kChannels, 3, 2}, 2, at::kFloat);
  auto reference = Make<torch::nn::BatchNorm2d>(/*affine=*/true, at::kFloat);
  auto batch_norm = Make<BatchNorm2d>(/*affine=*/true, at::kFloat);
  const Outcome expected = Normalize(reference, x, dy, /*affine=*/true);
  const Outcome outcome = Normalize(batch_norm, x, dy, /*affine=*/true);
  EXPECT_TRUE(at::equal(outcome.y, expected.y));
  EXPECT_TRUE(at::equal(outcome.dx, expected.dx));
  EXPECT_TRUE(at::equal(outcome.dweight, expected.dweight));
  EXPECT_TRUE(at::equal(outcome.running_var, expected.running_var));
}

}  // namespace
}  // namespace distributed
