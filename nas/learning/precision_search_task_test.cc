#include "nas/learning/precision_search_task.h"

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randint.h"
#include "ATen/ops/randn.h"
#include "distributed/communication/single_communicator.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "nas/derived/derived_network.h"
#include "nas/space/published_genotypes.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr int64_t kBatch = 8;
constexpr int64_t kSteps = 60;

distributed::Batch RandomBatch() {
  torch::manual_seed(0);
  return {.images = at::randn({kBatch, 3, 8, 8}),
          .labels = at::randint(3, {kBatch}, at::kLong),
          .sample_ids = at::arange(kBatch),
          .global_count = kBatch,
          .loss_weight = 1.0 / kBatch};
}

class PrecisionSearchTaskTest : public testing::Test {
 protected:
  std::unique_ptr<PrecisionSearchTask> MakeTask(const CostTarget& target = {},
                                                double complexity_decay = 0.00335) {
    torch::manual_seed(1);
    const NetworkShape shape = {.image_side = 8, .channels = 4, .layers = 3, .classes = 3};
    const auto architecture =
        UniformArchitecture(*PublishedGenotype("PC_DARTS_cifar"), shape, ConvBits{});
    CHECK(architecture.ok()) << architecture.status();
    auto network = DerivedNetwork::Create(*architecture);
    CHECK(network.ok()) << network.status();
    const PrecisionSearchConfig config = {.weight_rate = {.base = 0.05, .epochs = 10},
                                          .alpha_rate = {.base = 0.05, .epochs = 10},
                                          .complexity_decay = complexity_decay,
                                          .target = target,
                                          .steps = kSteps};
    auto task =
        std::make_unique<PrecisionSearchTask>(config, *std::move(network), communicator_.get());
    task->BeginEpoch(0, 10);
    return task;
  }

  double LossOfStep(PrecisionSearchTask& task) {
    const auto metrics = task.Step({}, {batch_});
    CHECK(metrics.ok()) << metrics.status();
    return metrics->at("loss").sum.item<double>() / kBatch;
  }

  // All 2-bit networks have 256 times fewer BitOps than at 32/32 bits, all 4-bit ones 64 times.
  double Excess(const PrecisionSearchTask& task, const CostTarget& target) {
    const Architecture architecture = task.CurrentArchitecture().value();
    return target.Excess(MakeDerivedLayout(architecture.genotype, architecture.network).value(),
                         architecture.bits);
  }

  const std::unique_ptr<distributed::Communicator> communicator_ =
      distributed::MakeSingleCommunicator();
  const distributed::Batch batch_ = RandomBatch();
};

TEST_F(PrecisionSearchTaskTest, FitsOneBatch) {
  const auto task = MakeTask();
  const double first = LossOfStep(*task);
  for (int step = 1; step < 30; ++step) LossOfStep(*task);
  EXPECT_LT(LossOfStep(*task), 0.6 * first);
}

TEST_F(PrecisionSearchTaskTest, AHighPriceLeavesTheLowestBits) {
  const auto task = MakeTask({}, /*complexity_decay=*/10);
  LossOfStep(*task);
  LossOfStep(*task);
  const Architecture found = task->CurrentArchitecture().value();
  for (const ConvBits& bits : found.bits) EXPECT_EQ(bits, (ConvBits{2, 2}));
}

TEST_F(PrecisionSearchTaskTest, MeetsABudgetBetweenTheLowestAndTheHighestBits) {
  for (const double compression : {200, 120, 80}) {
    const CostTarget target = {.compression = compression};
    const auto task = MakeTask(target);
    for (int step = 0; step < kSteps; ++step) LossOfStep(*task);
    EXPECT_LT(std::abs(Excess(*task, target) - 1), 0.1) << compression;
  }
}

TEST_F(PrecisionSearchTaskTest, ContinuesBitForBitFromItsState) {
  const CostTarget target = {.compression = 100};
  const auto uninterrupted = MakeTask(target);
  LossOfStep(*uninterrupted);
  base::TensorMap copy;
  for (const auto& [name, tensor] : uninterrupted->State()) copy[name] = tensor.detach().clone();
  const auto resumed = MakeTask(target);
  ASSERT_TRUE(resumed->LoadState(copy).ok());
  EXPECT_EQ(LossOfStep(*uninterrupted), LossOfStep(*resumed));
  const base::TensorMap expected = uninterrupted->State();
  for (const auto& [name, tensor] : resumed->State()) {
    EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
  }
}

}  // namespace
}  // namespace nas
