// One step of training a derived network, with operations fused and module by module, in one run:
//
//   bazel run //nas/benchmark:train_step_benchmark -- --preset=cifar --batch=96 --bits=4/4
//
// Prints what search_step_benchmark prints; last, the ratio of both.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/training/batch_source.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "nas/benchmark/measures.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/losses.h"
#include "nas/learning/retrain_task.h"
#include "nas/space/published_genotypes.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"
#include "torch/utils.h"

DEFINE_string(preset, "cifar",
              "cifar: C 36, 20 layers, 32 pixels; imagenet: C 48, 14 layers, 224 "
              "pixels; small: C 8, 5 layers, 32 pixels");
DEFINE_string(genotype, "PC_DARTS_cifar", "a published genotype");
DEFINE_int64(batch, 96, "images of a step");
DEFINE_string(bits, "4/4", "activations/weights; mixed: 2 and 4, by turns; 32/32: float");
DEFINE_int32(threads, 2, "threads");
DEFINE_double(drop_path, 0, "probability of dropping a path");
DEFINE_string(impl, "both", "fused, composed or both");
DEFINE_int32(steps, 3, "steps timed, after one that is not; medians are printed");

namespace nas {
namespace {

const std::map<std::string, NetworkShape> kPresets = {
    {"cifar", {ImageKind::kCifar, 32, 36, 20, 10, /*auxiliary=*/true}},
    {"imagenet", {ImageKind::kImageNet, 224, 48, 14, 1000, /*auxiliary=*/true}},
    {"small", {ImageKind::kCifar, 32, 8, 5, 10}},
};

Architecture MakeArchitecture(const NetworkShape& shape) {
  const auto genotype = PublishedGenotype(FLAGS_genotype);
  if (!genotype.ok()) RefuseFlag("genotype", FLAGS_genotype, "published");
  ConvBits bits{2, 4};
  if (FLAGS_bits != "mixed") {
    const std::vector<std::string> pair = absl::StrSplit(FLAGS_bits, '/');
    if (pair.size() != 2 || !absl::SimpleAtoi(pair[0], &bits.activation) ||
        !absl::SimpleAtoi(pair[1], &bits.weight) || !quant::IsSupportedBits(bits.activation) ||
        !quant::IsSupportedBits(bits.weight)) {
      RefuseFlag("bits", FLAGS_bits,
                 absl::StrCat("\"mixed\" or a pair of ", quant::kSupportedBits, ", as 4/4"));
    }
  }
  auto architecture = UniformArchitecture(*genotype, shape, bits);
  CHECK(architecture.ok()) << architecture.status();
  for (size_t i = 0; FLAGS_bits == "mixed" && i < architecture->bits.size(); ++i) {
    architecture->bits[i] = {i % 2 == 0 ? 2 : 4, i / 2 % 2 == 0 ? 2 : 4};
  }
  return *std::move(architecture);
}

// Multiply-adds of one image.
double MultiplyAdds(const NetworkShape& shape, const Genotype& genotype) {
  const auto layout = MakeDerivedLayout(genotype, shape);
  CHECK(layout.ok()) << layout.status();
  double sum = 0;
  for (const ConvSite& conv : layout->convs) {
    sum += quant::Macs(conv.shape, quant::CostModel::kExact);
  }
  for (const FloatConvSite& conv : layout->float_convs) {
    sum += quant::Macs(conv.shape, quant::CostModel::kExact);
  }
  return sum;
}

// Returns the median of a step.
double Measure(const NetworkShape& shape, Implementation implementation, double peak) {
  torch::manual_seed(1);
  const Architecture architecture = MakeArchitecture(shape);
  auto created = DerivedNetwork::Create(architecture);
  CHECK(created.ok()) << created.status();
  DerivedNetwork& network = **created;
  network.set_implementation(implementation);
  const auto communicator = distributed::MakeSingleCommunicator();
  RetrainConfig config;
  config.rate = {.base = 0.025, .epochs = 600};
  config.drop_path = FLAGS_drop_path;
  RetrainTask task(config, *std::move(created), communicator.get());
  task.BeginEpoch(599, 600);
  const std::vector<distributed::Batch> batches = {
      RandomBatch(FLAGS_batch, shape.image_side, shape.classes)};

  const StepMeasure measure = MeasureStep(
      FLAGS_steps, [&] { CHECK(task.Step({}, batches).ok()); },
      [&] { return CrossEntropy(network.forward(batches[0].images).logits, batches[0].labels); });
  // A forward pass, and twice as much backward.
  PrintMeasure(implementation, measure, FLAGS_batch,
               2 * MultiplyAdds(shape, architecture.genotype) * FLAGS_batch * 3, peak);
  return measure.seconds;
}

void Run() {
  const auto found = kPresets.find(FLAGS_preset);
  if (found == kPresets.end()) RefuseFlag("preset", FLAGS_preset, "cifar, imagenet or small");
  RequirePositive("batch", FLAGS_batch);
  RequirePositive("threads", FLAGS_threads);
  RequirePositive("steps", FLAGS_steps);
  at::set_num_threads(FLAGS_threads);
  const double peak = MatrixProductFlops();
  std::printf(
      "training step: %s, %s, batch %ld, bits %s, %d threads; a matrix product reaches "
      "%.0f GFLOP/s\n",
      FLAGS_preset.c_str(), FLAGS_genotype.c_str(), FLAGS_batch, FLAGS_bits.c_str(), FLAGS_threads,
      peak / 1e9);
  CompareImplementations(FLAGS_impl, [&](Implementation implementation) {
    return Measure(found->second, implementation, peak);
  });
}

}  // namespace
}  // namespace nas

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  nas::Run();
}
