#include "nas/learning/retrain_task.h"

#include <memory>
#include <utility>
#include <vector>

#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randint.h"
#include "ATen/ops/randn.h"
#include "distributed/communication/single_communicator.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/derived/architecture.h"
#include "nas/space/published_genotypes.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr int64_t kBatch = 8;

Architecture TinyArchitecture(ConvBits bits) {
  const NetworkShape shape = {
      .image_side = 32, .channels = 4, .layers = 3, .classes = 3, .auxiliary = true};
  const auto genotype = PublishedGenotype("PC_DARTS_cifar");
  CHECK(genotype.ok()) << genotype.status();
  const auto architecture = UniformArchitecture(*genotype, shape, bits);
  CHECK(architecture.ok()) << architecture.status();
  return *architecture;
}

distributed::Batch RandomBatch() {
  torch::manual_seed(0);
  return {.images = at::randn({kBatch, 3, 32, 32}),
          .labels = at::randint(3, {kBatch}, at::kLong),
          .sample_ids = at::arange(kBatch),
          .global_count = kBatch,
          .loss_weight = 1.0 / kBatch};
}

class RetrainTaskTest : public testing::Test {
 protected:
  std::unique_ptr<RetrainTask> MakeTask(ConvBits bits, double drop_path = 0) {
    torch::manual_seed(1);
    auto network = DerivedNetwork::Create(TinyArchitecture(bits));
    CHECK(network.ok()) << network.status();
    RetrainConfig config;
    config.rate = {.base = 0.05, .epochs = 10};
    config.drop_path = drop_path;
    auto task = std::make_unique<RetrainTask>(config, *std::move(network), communicator_.get());
    task->BeginEpoch(5, 10);
    return task;
  }

  double LossOfStep(RetrainTask& task, int64_t global_step = 0) {
    const auto metrics = task.Step({.global_step = global_step}, {batch_});
    CHECK(metrics.ok()) << metrics.status();
    return metrics->at("loss").sum.item<double>() / kBatch;
  }

  const std::unique_ptr<distributed::Communicator> communicator_ =
      distributed::MakeSingleCommunicator();
  const distributed::Batch batch_ = RandomBatch();
};

base::TensorMap Copy(const base::TensorMap& state) {
  base::TensorMap copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.detach().clone();
  return copy;
}

TEST_F(RetrainTaskTest, FitsOneBatchInFloatAndInMixedPrecision) {
  for (const ConvBits bits : {ConvBits{32, 32}, ConvBits{4, 4}}) {
    const auto task = MakeTask(bits);
    const double first = LossOfStep(*task);
    for (int step = 1; step < 30; ++step) LossOfStep(*task, step);
    EXPECT_LT(LossOfStep(*task, 30), 0.5 * first) << bits.activation;
  }
}

TEST_F(RetrainTaskTest, ContinuesBitForBitFromItsStateWithDropPath) {
  const auto uninterrupted = MakeTask({4, 4}, 0.6);
  LossOfStep(*uninterrupted, 0);
  const auto resumed = MakeTask({4, 4}, 0.6);
  ASSERT_TRUE(resumed->LoadState(Copy(uninterrupted->State())).ok());
  EXPECT_EQ(LossOfStep(*uninterrupted, 1), LossOfStep(*resumed, 1));
  const base::TensorMap expected = uninterrupted->State();
  for (const auto& [name, tensor] : resumed->State()) {
    EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
  }
}

TEST_F(RetrainTaskTest, DropPathDiffersFromStepToStep) {
  const auto first = MakeTask({32, 32}, 0.6);
  const auto second = MakeTask({32, 32}, 0.6);
  EXPECT_NE(LossOfStep(*first, 0), LossOfStep(*second, 1));
}

TEST_F(RetrainTaskTest, EvaluationChangesNothing) {
  const auto task = MakeTask({2, 2});
  LossOfStep(*task);
  const base::TensorMap before = Copy(task->State());
  const auto metrics = task->Evaluate(batch_);
  ASSERT_TRUE(metrics.ok());
  EXPECT_THAT(*metrics, testing::Contains(testing::Key("accuracy")));
  for (const auto& [name, tensor] : task->State()) {
    EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  }
}

}  // namespace
}  // namespace nas
