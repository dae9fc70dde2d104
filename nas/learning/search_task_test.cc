#include "nas/learning/search_task.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/equal.h"
#include "ATen/ops/randint.h"
#include "ATen/ops/randn.h"
#include "absl/strings/match.h"
#include "distributed/communication/single_communicator.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/budget/cost_target.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nlohmann/json.hpp"
#include "torch/utils.h"

namespace nas {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;

constexpr int64_t kBatch = 4;

SearchConfig TinyConfig() {
  SearchConfig config;
  config.supernet.channels = 8;
  config.supernet.layers = 3;
  config.supernet.classes = 3;
  config.weight_rate = {.base = 0.05, .epochs = 10};
  config.gamma_rate = {.base = 0.1, .epochs = 10};
  config.alpha_begin = 0;
  config.complexity_decay = 1e-3;
  config.derived = {.image_side = 16, .channels = 8, .layers = 3, .classes = 3};
  return config;
}

distributed::Batch RandomBatch(uint64_t seed) {
  torch::manual_seed(seed);
  return {.images = at::randn({kBatch, 3, 16, 16}),
          .labels = at::randint(3, {kBatch}, at::kLong),
          .global_count = kBatch,
          .loss_weight = 1.0 / kBatch};
}

base::TensorMap Copy(const base::TensorMap& state) {
  base::TensorMap copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.detach().clone();
  return copy;
}

class SearchTaskTest : public testing::Test {
 protected:
  std::unique_ptr<SearchTask> MakeTask(const SearchConfig& config) {
    torch::manual_seed(1);
    auto supernet = Supernet::Create(config.supernet);
    CHECK(supernet.ok()) << supernet.status();
    (*supernet)->To(at::kDouble);
    auto task = std::make_unique<SearchTask>(config, *std::move(supernet), communicator_.get());
    task->BeginEpoch(0, 10);
    return task;
  }

  void ExpectContinuesBitForBit(const SearchConfig& config) {
    const auto uninterrupted = MakeTask(config);
    Step(*uninterrupted);
    const auto resumed = MakeTask(config);
    ASSERT_TRUE(resumed->LoadState(Copy(uninterrupted->State())).ok());
    Step(*uninterrupted);
    Step(*resumed);
    const base::TensorMap expected = uninterrupted->State();
    for (const auto& [name, tensor] : resumed->State()) {
      EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
    }
  }

  distributed::Metrics Step(SearchTask& task) {
    const auto metrics = task.Step({}, batches_);
    CHECK(metrics.ok()) << metrics.status();
    return *metrics;
  }

  const std::unique_ptr<distributed::Communicator> communicator_ =
      distributed::MakeSingleCommunicator();
  const std::vector<distributed::Batch> batches_ = {RandomBatch(/*seed=*/0),
                                                    RandomBatch(/*seed=*/1)};
};

bool Moved(const base::TensorMap& before, SearchTask& task, const std::string& name) {
  return !at::equal(before.at(name), task.State().at(name));
}

double Mean(const distributed::Metrics& metrics, const std::string& name) {
  return metrics.at(name).sum.item<double>() / metrics.at(name).count;
}

TEST_F(SearchTaskTest, EveryKindOfParameterMoves) {
  const auto task = MakeTask(TinyConfig());
  const base::TensorMap before = Copy(task->State());
  const distributed::Metrics metrics = Step(*task);
  for (const std::string name : {"alphas_normal", "alphas_reduce", "betas_normal", "betas_reduce",
                                 "gamma_activ_celln", "gamma_weight_cellr_preprocess1",
                                 "classifier.weight", "cells.1.preprocess0.conv.conv.weight"}) {
    EXPECT_TRUE(Moved(before, *task, name)) << name;
  }
  EXPECT_THAT(metrics, Contains(Key("search_accuracy")));
  EXPECT_GT(Mean(metrics, "complexity"), 0);
}

TEST_F(SearchTaskTest, AlphasWaitForTheirEpoch) {
  SearchConfig config = TinyConfig();
  config.alpha_begin = 2;
  const auto task = MakeTask(config);
  const base::TensorMap before = Copy(task->State());
  EXPECT_THAT(Step(*task), Not(Contains(Key("search_loss"))));
  EXPECT_FALSE(Moved(before, *task, "alphas_normal"));
  task->BeginEpoch(2, 10);
  EXPECT_THAT(Step(*task), Contains(Key("search_loss")));
  EXPECT_TRUE(Moved(before, *task, "alphas_normal"));
}

TEST_F(SearchTaskTest, FloatSearchHasNoComplexity) {
  SearchConfig config = TinyConfig();
  config.supernet.bits = {32};
  const auto task = MakeTask(config);
  EXPECT_THAT(Step(*task), Not(Contains(Key("complexity"))));
  EXPECT_THAT(task->State(), Not(Contains(Key("gamma_activ_celln"))));
}

TEST_F(SearchTaskTest, FitsOneBatch) {
  const auto task = MakeTask(TinyConfig());
  const double first = Mean(Step(*task), "loss");
  for (int i = 0; i < 15; ++i) Step(*task);
  EXPECT_LT(Mean(Step(*task), "loss"), 0.7 * first);
}

TEST_F(SearchTaskTest, ContinuesBitForBitFromItsState) {
  for (const bool second_order : {false, true}) {
    SearchConfig config = TinyConfig();
    config.second_order = second_order;
    ExpectContinuesBitForBit(config);
  }
}

TEST_F(SearchTaskTest, EvaluationChangesNothing) {
  const auto task = MakeTask(TinyConfig());
  Step(*task);
  const base::TensorMap before = Copy(task->State());
  const auto metrics = task->Evaluate(batches_[0]);
  ASSERT_TRUE(metrics.ok());
  EXPECT_THAT(*metrics, Contains(Key("accuracy")));
  for (const auto& [name, tensor] : task->State()) {
    EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  }
}

TEST_F(SearchTaskTest, SummaryNamesTheGenotypeAndTheLogits) {
  const auto task = MakeTask(TinyConfig());
  const nlohmann::json logits = task->EpochSummary().at("logits");
  EXPECT_EQ(logits.size(), 4 + 12);
  EXPECT_EQ(logits.at("alphas_normal").size(), 14);
  EXPECT_EQ(logits.at("gamma_weight_celln")[0][13].size(), 6);
  EXPECT_THAT(task->EpochSummary().at("genotype").get<std::string>(),
              testing::StartsWith("Genotype(normal=["));
}

// The complexity's weight is steered so that what is derived has the BitOps asked for: at least 64
// times (all 4 bits) and at most 256 times (all 2 bits) fewer than at 32/32 bits.
TEST_F(SearchTaskTest, MeetsABudgetOfBitOps) {
  constexpr int kSteps = 20;
  for (const double compression : {200, 120, 80}) {
    SearchConfig config = TinyConfig();
    config.target = {.compression = compression};
    config.steps = kSteps;
    const auto task = MakeTask(config);
    for (int epoch = 0; epoch < 10; ++epoch) {
      task->BeginEpoch(epoch, 10);
      for (int step = 0; step < kSteps / 10; ++step) Step(*task);
    }
    const Architecture found = task->CurrentArchitecture().value();
    const DerivedLayout layout = MakeDerivedLayout(found.genotype, found.network).value();
    EXPECT_NEAR(config.target.Excess(layout, found.bits), 1, 0.1) << compression;
    // Every choice can still change sides.
    for (const auto& [name, tensor] : task->State()) {
      if (name.rfind("gamma_", 0) == 0) EXPECT_LT(tensor.abs().max().item<double>(), 3) << name;
    }
  }
}

SearchConfig OutOfReach() {
  SearchConfig config = TinyConfig();
  config.supernet.expected_cost = true;
  config.target = {.bit_ops = 1};
  config.steps = 20;
  return config;
}

// What the initial draw costs, no step can change: nothing is steered, and nothing winds up.
TEST_F(SearchTaskTest, DoesNotSteerBeforeAlphasMove) {
  SearchConfig config = OutOfReach();
  config.alpha_begin = 1;
  const auto task = MakeTask(config);
  for (int step = 0; step < 3; ++step) Step(*task);
  EXPECT_EQ(task->EpochSummary().at("complexity_weight"), 0);
  EXPECT_FALSE(task->EpochSummary().contains("times_over_target"));
  task->BeginEpoch(1, 10);
  const auto from_the_start = MakeTask(OutOfReach());
  for (SearchTask* one : {task.get(), from_the_start.get()}) Step(*one);
  EXPECT_GT(task->EpochSummary().at("times_over_target"), 1);
  EXPECT_EQ(task->EpochSummary().at("complexity_weight"),
            from_the_start->EpochSummary().at("complexity_weight"));
}

// A weight of the complexity that is orders of magnitude too large gives alphas a direction, but
// Adam's second moments do not remember its size for a thousand steps.
TEST_F(SearchTaskTest, AlphasThatFeelTheCostAreClipped) {
  SearchConfig config = OutOfReach();
  config.complexity_decay = 1e6;
  const auto task = MakeTask(config);
  Step(*task);
  EXPECT_GT(Mean(Step(*task), "alpha_gradient_norm"), 1e3);
  double squares = 0;
  for (const auto& [name, tensor] : task->State()) {
    if (absl::StrContains(name, "alphas/") && absl::EndsWith(name, "exp_avg_sq")) {
      squares += tensor.sum().item<double>();
    }
  }
  EXPECT_GT(squares, 0);
  EXPECT_LT(squares, 2 * (1 - 0.999) * 1.001);
}

TEST_F(SearchTaskTest, ContinuesToSteerFromItsState) {
  SearchConfig config = TinyConfig();
  config.target = {.compression = 100};
  config.steps = 20;
  ExpectContinuesBitForBit(config);
}

}  // namespace
}  // namespace nas
