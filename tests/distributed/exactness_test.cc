// N ranks compute what one rank computes: 20 steps of the search and of the retraining, in float64,
// on the same global batches. Prints the largest difference in each kind of tensor.
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/Context.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/randint.h"
#include "ATen/ops/randn.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/tensor_file.h"
#include "distributed/batch_source.h"
#include "distributed/communicator.h"
#include "distributed/rank_agreement.h"
#include "distributed/single_communicator.h"
#include "distributed/task.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "nas/architecture.h"
#include "nas/derived_layout.h"
#include "nas/derived_network.h"
#include "nas/published_genotypes.h"
#include "nas/retrain_task.h"
#include "nas/search_config.h"
#include "nas/search_task.h"
#include "nas/supernet.h"
#include "tests/distributed/world.h"

namespace distributed {
namespace {

// Steps after which the distance of chaotic runs no longer grows.
constexpr int kManySteps = 20;
constexpr int kFewSteps = 3;
constexpr int64_t kGlobalBatch = 6;  // Shares of 2, 1, 2 and 1 on four ranks.
constexpr int64_t kClasses = 3;
constexpr int64_t kSide = 8;

int Steps() {
  const char* steps = getenv("STEPS");
  return steps == nullptr ? kFewSteps : atoi(steps);
}

using MakeTask = std::function<std::unique_ptr<Task>(Communicator*)>;

// The share of `communicator`'s rank of a global batch that (step, stream) decides.
Batch MakeBatch(const Communicator& communicator, int64_t step, int64_t stream,
                at::ScalarType dtype, double perturbation) {
  at::Generator generator = at::detail::createCPUGenerator(1000 * stream + step);
  const at::Tensor images = at::randn({kGlobalBatch, 3, kSide, kSide}, generator, at::kDouble);
  const at::Tensor labels = at::randint(0, kClasses, {kGlobalBatch}, generator, at::kLong);
  const at::Tensor noise = at::randn(images.sizes(), generator, at::kDouble);
  const int64_t size = communicator.size();
  const int64_t begin = kGlobalBatch * communicator.rank() / size;
  const int64_t end = kGlobalBatch * (communicator.rank() + 1) / size;
  return {.images = images.add(noise, perturbation).slice(0, begin, end).to(dtype),
          .labels = labels.slice(0, begin, end),
          .sample_ids = at::arange(begin, end, at::kLong).add(step * kGlobalBatch),
          .global_count = kGlobalBatch,
          .loss_weight = static_cast<double>(size) / static_cast<double>(kGlobalBatch)};
}

// The state after Steps(); calls `after_step` with the state after each.
base::TensorMap RunSteps(const MakeTask& make_task, Communicator& communicator,
                         at::ScalarType dtype, double perturbation = 0,
                         const std::function<void(const base::TensorMap&)>& after_step = nullptr) {
  at::manual_seed(1);
  const std::unique_ptr<Task> task = make_task(&communicator);
  task->BeginEpoch(0, 1);
  for (int64_t step = 0; step < Steps(); ++step) {
    std::vector<Batch> batches;
    for (size_t stream = 0; stream < task->streams().size(); ++stream) {
      batches.push_back(MakeBatch(communicator, step, stream, dtype, perturbation));
    }
    const absl::StatusOr<Metrics> metrics = task->Step(
        {.step = step, .global_step = step, .epochs = 1, .steps_per_epoch = Steps()}, batches);
    CHECK(metrics.ok()) << metrics.status();
    if (after_step) after_step(task->State());
  }
  base::TensorMap state;
  for (const auto& [name, tensor] : task->State()) state[name] = tensor.detach().clone();
  return state;
}

std::string KindOf(const std::string& name) {
  if (absl::StrContains(name, "/")) return "optimizers";
  if (absl::StartsWith(name, "alphas_")) return "alphas";
  if (absl::StartsWith(name, "betas_")) return "betas";
  if (absl::StartsWith(name, "gamma_")) return "gammas";
  return "weights";
}

// The largest absolute difference in each kind of tensor.
std::map<std::string, double> Differences(const base::TensorMap& a, const base::TensorMap& b) {
  EXPECT_EQ(a.size(), b.size());
  std::map<std::string, double> differences;
  for (const auto& [name, tensor] : a) {
    double& largest = differences[KindOf(name)];
    const at::Tensor difference =
        tensor.to(at::kDouble).sub(b.at(name).to(at::kDouble)).abs().max();
    largest = std::max(largest, difference.item<double>());
  }
  return differences;
}

double Largest(const std::map<std::string, double>& differences) {
  double largest = 0;
  for (const auto& [kind, difference] : differences) largest = std::max(largest, difference);
  return largest;
}

void Print(const std::string& what, const std::map<std::string, double>& differences) {
  std::string line = what + ":";
  for (const auto& [kind, difference] : differences) {
    absl::StrAppend(&line, " ", kind, " ", difference);
  }
  puts(line.c_str());
}

// Compares the ranks' run with that of one rank, which rank 0 computes as well. `chaotic`: a
// rounding error flips a level sooner or later (sums of low bits cancel to exactly 0, where the
// gradient's mask depends on their order; the signed 8-bit lattice has no 0; a finite difference of
// second order ends on either side of a level), and then the runs
// part for good, as one rank's do when its images are perturbed by 1e-12. Their distances agree
// within a factor of 2.
void ExpectAgreement(const std::string& what, const MakeTask& make_task, bool chaotic) {
  if (chaotic && Steps() < kManySteps) {
    if (World().rank() == 0) printf("SKIPPED %s: set STEPS=%d\n", what.c_str(), kManySteps);
    return;
  }
  const base::TensorMap state = RunSteps(make_task, World(), at::kDouble);
  if (World().rank() == 0) {
    const std::unique_ptr<Communicator> single = MakeSingleCommunicator();
    const base::TensorMap expected = RunSteps(make_task, *single, at::kDouble);
    const std::map<std::string, double> differences = Differences(state, expected);
    Print(absl::StrCat(what, ", ", World().size(), " ranks"), differences);
    double tolerance = 1e-9;
    if (chaotic) {
      const std::map<std::string, double> perturbed =
          Differences(RunSteps(make_task, *single, at::kDouble, 1e-12), expected);
      Print(absl::StrCat(what, ", 1 rank, images perturbed by 1e-12"), perturbed);
      tolerance = 2 * Largest(perturbed);
    }
    EXPECT_LE(Largest(differences), tolerance);
  }
  EXPECT_TRUE(World().Barrier().ok());
}

MakeTask Search(const std::vector<int64_t>& bits, bool second_order, at::ScalarType dtype) {
  nas::SearchConfig config;
  config.supernet.bits = bits;
  config.supernet.channels = 8;
  config.supernet.layers = 3;
  config.supernet.classes = kClasses;
  config.weight_rate = {.base = 0.05, .epochs = 10};
  config.gamma_rate = {.base = 0.1, .epochs = 10};
  config.alpha_begin = 0;
  config.complexity_decay = 1e-3;
  config.second_order = second_order;
  return [config, dtype](Communicator* communicator) {
    auto supernet = nas::Supernet::Create(config.supernet);
    CHECK(supernet.ok()) << supernet.status();
    (*supernet)->To(dtype);
    return std::make_unique<nas::SearchTask>(config, *std::move(supernet), communicator);
  };
}

MakeTask Retraining(nas::ConvBits bits) {
  return [bits](Communicator* communicator) {
    const auto genotype = nas::PublishedGenotype("PC_DARTS_cifar");
    CHECK(genotype.ok()) << genotype.status();
    const auto architecture = nas::UniformArchitecture(
        *genotype, {.image_side = kSide, .channels = 4, .layers = 3, .classes = kClasses}, bits);
    CHECK(architecture.ok()) << architecture.status();
    auto network = nas::DerivedNetwork::Create(*architecture);
    CHECK(network.ok()) << network.status();
    (*network)->to(at::kDouble);
    nas::RetrainConfig config;
    config.rate = {.base = 0.05, .epochs = 10};
    config.drop_path = 0.3;
    return std::make_unique<nas::RetrainTask>(config, *std::move(network), communicator);
  };
}

TEST(ExactnessTest, Search) {
  for (const bool second_order : {false, true}) {
    for (const std::vector<int64_t>& bits :
         std::vector<std::vector<int64_t>>{{32}, {2, 4, 8}, {2, 4}}) {
      const std::string what = absl::StrCat("search, ", second_order ? "second" : "first",
                                            " order, bits ", absl::StrJoin(bits, ","));
      ExpectAgreement(what, Search(bits, second_order, at::kDouble),
                      /*chaotic=*/bits.back() == 4 || (second_order && bits.size() > 1));
    }
  }
}

TEST(ExactnessTest, Retraining) {
  for (const int64_t bits : {32, 8, 4, 2}) {
    ExpectAgreement(absl::StrCat("retraining, bits ", bits), Retraining({bits, bits}),
                    /*chaotic=*/bits != 32);
  }
}

TEST(ExactnessTest, RanksHoldTheSameBitsInFloat32AfterEveryStep) {
  RunSteps(Search({2, 4, 8}, /*second_order=*/false, at::kFloat), World(), at::kFloat,
           /*perturbation=*/0, [](const base::TensorMap& state) {
             const absl::Status same = RequireSameTensors(World(), state);
             EXPECT_TRUE(same.ok()) << same;
           });
}

}  // namespace
}  // namespace distributed
