// One step of a search, with cells as fused operators and module by module, in one run:
//
//   bazel run //nas/benchmark:search_step_benchmark -- --preset=cifar --batch=64 --bits=2,4
//
// Prints for each implementation the seconds of a step and of its parts, images per second, peak
// memory, GFLOP per second and their share of what a matrix product reaches here; and, last, the
// ratio of both.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/training/batch_source.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "nas/benchmark/measures.h"
#include "nas/learning/losses.h"
#include "nas/learning/search_task.h"
#include "quant/bit_cost.h"
#include "torch/utils.h"

DEFINE_string(preset, "cifar",
              "cifar: C 16, 8 layers, 32 pixels; imagenet: C 48, 8 layers, k 2, "
              "224 pixels; digits: C 8, 4 layers, 28 pixels");
DEFINE_int64(batch, 64, "images of a step");
DEFINE_string(bits, "2,4", "candidates of every weight and activation; 32: float");
DEFINE_string(device, "cpu", "cpu or cuda");
DEFINE_int32(threads, 2, "threads of the host");
DEFINE_bool(second_order, false, "second-order steps of alphas");
DEFINE_string(impl, "both", "fused, composed or both");
DEFINE_int32(steps, 5, "steps timed, after one that is not; medians are printed");

namespace nas {
namespace {

struct Preset {
  ImageKind images;
  int64_t channels, partial_channels;
  int layers;
  int64_t side, classes;
};

const std::map<std::string, Preset> kPresets = {
    {"cifar", {ImageKind::kCifar, 16, 4, 8, 32, 10}},
    {"imagenet", {ImageKind::kImageNet, 48, 2, 8, 224, 1000}},
    {"digits", {ImageKind::kCifar, 8, 4, 4, 28, 10}},
};

SearchConfig Config(const Preset& preset) {
  SearchConfig config;
  config.supernet.images = preset.images;
  config.supernet.channels = preset.channels;
  config.supernet.partial_channels = preset.partial_channels;
  config.supernet.layers = preset.layers;
  config.supernet.classes = preset.classes;
  config.supernet.bits = ParseBits(FLAGS_bits);
  config.weight_rate = {.base = 0.025, .epochs = 50};
  config.gamma_rate = {.base = 0.01, .epochs = 50};
  config.alpha_begin = 0;
  config.second_order = FLAGS_second_order;
  return config;
}

// Returns the median of a step.
double Measure(const Preset& preset, Implementation implementation, at::Device device,
               double peak) {
  torch::manual_seed(1);
  auto created = Supernet::Create(Config(preset).supernet);
  CHECK(created.ok()) << created.status();
  Supernet& supernet = **created;
  supernet.To(device);
  supernet.set_implementation(implementation);
  const auto communicator = distributed::MakeSingleCommunicator();
  SearchTask task(Config(preset), *std::move(created), communicator.get());
  task.BeginEpoch(0, 50);
  const auto random = [&] { return RandomBatch(FLAGS_batch, preset.side, preset.classes, device); };
  const std::vector<distributed::Batch> batches = {random(), random()};

  const StepMeasure measure = MeasureStep(
      FLAGS_steps, [&] { CHECK(task.Step({}, batches).ok()); },
      [&] { return CrossEntropy(supernet.Forward(batches[0].images), batches[0].labels); }, device);
  // A forward pass, and twice as much backward for the weights' step; alphas need no gradients of
  // weights.
  const int passes = FLAGS_second_order ? 3 + 2 + 2 * 2 + 3 : 3 + 2;
  PrintMeasure(implementation, measure, FLAGS_batch,
               2 * supernet.MultiplyAdds() * FLAGS_batch * passes, peak);
  return measure.seconds;
}

void Run() {
  const auto found = kPresets.find(FLAGS_preset);
  if (found == kPresets.end()) RefuseFlag("preset", FLAGS_preset, "cifar, imagenet or digits");
  if (FLAGS_device != "cpu" && (FLAGS_device != "cuda" || !at::hasCUDA())) {
    RefuseFlag("device", FLAGS_device, "a device here");
  }
  RequirePositive("batch", FLAGS_batch);
  RequirePositive("threads", FLAGS_threads);
  RequirePositive("steps", FLAGS_steps);
  at::set_num_threads(FLAGS_threads);
  const at::Device device(FLAGS_device);
  const double peak = MatrixProductFlops(device);
  std::printf(
      "search step: %s, batch %ld, bits {%s}, %s, %d threads%s; a matrix product reaches "
      "%.0f GFLOP/s\n",
      FLAGS_preset.c_str(), FLAGS_batch, FLAGS_bits.c_str(), FLAGS_device.c_str(), FLAGS_threads,
      FLAGS_second_order ? ", second order" : "", peak / 1e9);
  CompareImplementations(FLAGS_impl, [&](Implementation implementation) {
    return Measure(found->second, implementation, device, peak);
  });
}

}  // namespace
}  // namespace nas

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  nas::Run();
}
