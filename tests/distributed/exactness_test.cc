// N ranks compute what one rank computes: 20 steps of the search and of the retraining, in float64,
// on the same global batches. Prints the largest difference in each kind of tensor.
//
// Quantizers are steps, so exactness to 1e-9 needs that no value lies on a step by construction.
// With few bits some do: a convolution's outputs are small multiples of one number, and where their
// mean is such a multiple, too, batch normalization makes of those that equal it 0 or ±1e-17, by
// the order of summation; there the next activation's gradient ends. So runs part for good after a
// few steps. Those of one rank do as well, whose images and initial weights are perturbed by 1e-12;
// the ranks' run must not part further than the furthest of these. (Images alone do not show it
// from the first step on: the steps of low-bit activations are constants, so that only the scale of
// the weights decides how the multiples are rounded.)
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
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
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/retrain_task.h"
#include "nas/learning/search_config.h"
#include "nas/learning/search_task.h"
#include "nas/space/published_genotypes.h"
#include "nas/supernet/supernet.h"
#include "quant/exact_sums.h"
#include "tests/distributed/world.h"

namespace distributed {
namespace {

constexpr int kAllSteps = 20;
constexpr int kFewSteps = 3;
constexpr int kPerturbations = 24;
constexpr int64_t kGlobalBatch = 6;  // Shares of 2, 1, 2 and 1 on four ranks.
constexpr int64_t kClasses = 3;
// With 8 the last cells have 2×2 pixels, of which a dilated 3×3 kernel sees one: its outputs are a
// weight times levels, and k/255 of the largest one, for even k, lies between two levels of the
// signed 8-bit lattice.
constexpr int64_t kSide = 16;

int Steps() {
  const char* steps = getenv("STEPS");
  return steps == nullptr ? kFewSteps : atoi(steps);
}

using MakeTask = std::function<std::unique_ptr<Task>(Communicator*)>;

// Pixels, and the weights at the start, are multiplied by 1 + size·noise; a negative size perturbs
// the other way.
struct Perturbation {
  double size = 0;
  uint64_t seed = 0;
};

std::string KindOf(const std::string& name) {
  if (absl::StrContains(name, "/")) return "optimizers";
  if (absl::StartsWith(name, "alphas_")) return "alphas";
  if (absl::StartsWith(name, "betas_")) return "betas";
  if (absl::StartsWith(name, "gamma_")) return "gammas";
  return "weights";
}

// Only the network's own weights, not what the search adds to them.
void PerturbWeights(const Task& task, const Perturbation& perturbation) {
  at::Generator generator = at::detail::createCPUGenerator(perturbation.seed);
  for (const auto& [name, tensor] : task.State()) {
    if (KindOf(name) != "weights" || !tensor.requires_grad()) continue;
    const at::Tensor noise = at::randn(tensor.sizes(), generator, tensor.options());
    tensor.detach().addcmul_(tensor.detach().clone(), noise, perturbation.size);
  }
}

// The share of `communicator`'s rank of a global batch that (step, stream) decides.
Batch MakeBatch(const Communicator& communicator, int64_t step, int64_t stream,
                at::ScalarType dtype, const Perturbation& perturbation) {
  at::Generator generator = at::detail::createCPUGenerator(1000 * stream + step);
  const at::Tensor images = at::randn({kGlobalBatch, 3, kSide, kSide}, generator, at::kDouble);
  const at::Tensor labels = at::randint(0, kClasses, {kGlobalBatch}, generator, at::kLong);
  generator.set_current_seed(generator.current_seed() + 10000 * (perturbation.seed + 1));
  const at::Tensor noise = at::randn(images.sizes(), generator, at::kDouble);
  const int64_t size = communicator.size();
  const int64_t begin = kGlobalBatch * communicator.rank() / size;
  const int64_t end = kGlobalBatch * (communicator.rank() + 1) / size;
  return {.images = images.addcmul(images, noise, perturbation.size).slice(0, begin, end).to(dtype),
          .labels = labels.slice(0, begin, end),
          .sample_ids = at::arange(begin, end, at::kLong).add(step * kGlobalBatch),
          .global_count = kGlobalBatch,
          .loss_weight = static_cast<double>(size) / static_cast<double>(kGlobalBatch)};
}

// The state after Steps(); calls `after_step` with the state after each.
base::TensorMap RunSteps(const MakeTask& make_task, Communicator& communicator,
                         at::ScalarType dtype, const Perturbation& perturbation = {},
                         const std::function<void(const base::TensorMap&)>& after_step = nullptr) {
  at::manual_seed(1);
  const std::unique_ptr<Task> task = make_task(&communicator);
  if (perturbation.size != 0) PerturbWeights(*task, perturbation);
  task->BeginEpoch(0, 1);
  for (int64_t step = 0; step < Steps(); ++step) {
    std::vector<Batch> batches;
    for (size_t stream = 0; stream < task->streams().size(); ++stream) {
      batches.push_back(MakeBatch(communicator, step, stream, dtype, perturbation));
    }
    const absl::StatusOr<Metrics> metrics = task->Step({.global_step = step}, batches);
    CHECK(metrics.ok()) << metrics.status();
    if (after_step) after_step(task->State());
  }
  base::TensorMap state;
  for (const auto& [name, tensor] : task->State()) state[name] = tensor.detach().clone();
  return state;
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
  fflush(stdout);
}

// The root of the mean squared difference in each kind of tensor. Once runs
// have parted, it says how far, where the largest difference depends on a single element.
std::map<std::string, double> Distances(const base::TensorMap& a, const base::TensorMap& b) {
  std::map<std::string, double> squares, counts;
  for (const auto& [name, tensor] : a) {
    const double square =
        tensor.to(at::kDouble).sub(b.at(name).to(at::kDouble)).square().sum().item<double>();
    squares[KindOf(name)] += square;
    counts[KindOf(name)] += static_cast<double>(tensor.numel());
  }
  for (auto& [kind, square] : squares) square = std::sqrt(square / counts[kind]);
  return squares;
}

// The distances of perturbed runs of one rank from `expected`, in each kind of tensor; the ranks
// share the work.
std::map<std::string, at::Tensor> PerturbedDistances(const MakeTask& make_task,
                                                     const base::TensorMap& expected) {
  const std::unique_ptr<Communicator> single = MakeSingleCommunicator();
  std::map<std::string, at::Tensor> distances;
  for (const auto& [kind, zero] : Distances(expected, expected)) {
    distances[kind] = at::zeros({kPerturbations}, at::kDouble);
  }
  for (int i = World().rank(); i < kPerturbations; i += World().size()) {
    const Perturbation perturbation = {i % 2 == 0 ? 1e-12 : -1e-12, static_cast<uint64_t>(i / 2)};
    const base::TensorMap perturbed = RunSteps(make_task, *single, at::kDouble, perturbation);
    for (const auto& [kind, distance] : Distances(perturbed, expected)) {
      distances[kind][i].fill_(distance);
    }
  }
  for (auto& [kind, tensor] : distances) {
    const absl::Status gathered = World().AllReduce(tensor, ReduceOp::kSum);
    CHECK(gathered.ok()) << gathered;
  }
  return distances;
}

// What the runs on N ranks and on one may differ by.
enum class Bound { k1e9, kPerturbation };

// Compares the ranks' run with that of one rank, which rank 0 computes as well.
void ExpectAgreement(const std::string& what, const MakeTask& make_task, Bound bound) {
  const bool prints = World().rank() == 0;
  if (bound == Bound::kPerturbation && Steps() < kAllSteps) {
    if (prints) printf("SKIPPED %s: set STEPS=%d\n", what.c_str(), kAllSteps);
    return;
  }
  const base::TensorMap state = RunSteps(make_task, World(), at::kDouble);
  const std::unique_ptr<Communicator> single = MakeSingleCommunicator();
  const absl::StatusOr<base::TensorMap> expected = BroadcastTensors(
      World(), prints ? RunSteps(make_task, *single, at::kDouble) : base::TensorMap());
  CHECK(expected.ok()) << expected.status();
  const std::map<std::string, double> differences = Differences(state, *expected);
  if (prints) Print(absl::StrCat(what, ", ", World().size(), " ranks"), differences);
  if (bound == Bound::k1e9) {
    EXPECT_LE(Largest(differences), 1e-9);
    return;
  }
  const std::map<std::string, double> distances = Distances(state, *expected);
  const std::map<std::string, at::Tensor> perturbed = PerturbedDistances(make_task, *expected);
  if (!prints) return;
  Print("  root mean square", distances);
  for (const auto& [kind, tensor] : perturbed) {
    const double smallest = tensor.min().item<double>(), largest = tensor.max().item<double>();
    printf("  1 rank, perturbed by 1e-12: %s %g to %g\n", kind.c_str(), smallest, largest);
    EXPECT_LE(distances.at(kind), largest) << kind;
  }
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

void ExpectSearchesAgree(bool second_order) {
  for (const std::vector<int64_t>& bits :
       std::vector<std::vector<int64_t>>{{32}, {2, 4, 8}, {2, 4}}) {
    const std::string what = absl::StrCat("search, ", second_order ? "second" : "first",
                                          " order, bits ", absl::StrJoin(bits, ","));
    ExpectAgreement(what, Search(bits, second_order, at::kDouble),
                    bits.back() == 4 ? Bound::kPerturbation : Bound::k1e9);
  }
}

TEST(ExactnessTest, FirstOrderSearch) { ExpectSearchesAgree(/*second_order=*/false); }
TEST(ExactnessTest, SecondOrderSearch) { ExpectSearchesAgree(/*second_order=*/true); }

TEST(ExactnessTest, Retraining) {
  for (const int64_t bits : {32, 8, 4, 2}) {
    ExpectAgreement(absl::StrCat("retraining, bits ", bits), Retraining({bits, bits}),
                    bits == 32 ? Bound::k1e9 : Bound::kPerturbation);
  }
}

// Of the forward's sums, those of convolutions are then the same for any number of ranks.
TEST(ExactnessTest, RetrainingWithExactSums) {
  const quant::ExactSumsGuard exact;
  for (const int64_t bits : {4, 2})
    ExpectAgreement(absl::StrCat("retraining with exact sums, bits ", bits),
                    Retraining({bits, bits}), Bound::kPerturbation);
}

TEST(ExactnessTest, RanksHoldTheSameBitsInFloat32AfterEveryStep) {
  RunSteps(Search({2, 4, 8}, /*second_order=*/false, at::kFloat), World(), at::kFloat,
           /*perturbation=*/{}, [](const base::TensorMap& state) {
             const absl::Status same = RequireSameTensors(World(), state);
             EXPECT_TRUE(same.ok()) << same;
           });
}

}  // namespace
}  // namespace distributed
