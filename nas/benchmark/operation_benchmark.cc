// The operations of the search space one by one, fused and module by module, in one run:
//
//   bazel run //nas/benchmark:operation_benchmark -- --channels=4 --side=32 --bits=2,4
//
// Prints for each operation and stride the microseconds of an image, forward and backward (to the
// input, the weights and the mixtures), and the ratio of both; and, last, that of all together.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/softmax.h"
#include "base/median.h"
#include "gflags/gflags.h"
#include "nas/benchmark/measures.h"
#include "nas/fused/implementation.h"
#include "nas/operations/fused_operation.h"
#include "nas/operations/operations.h"
#include "nas/space/primitives.h"
#include "quant/precision.h"
#include "quant/precision_conv.h"
#include "torch/csrc/autograd/autograd.h"

DEFINE_int64(channels, 4, "channels of each operation");
DEFINE_int64(side, 32, "pixels of a side, even");
DEFINE_int64(batch, 64, "images");
DEFINE_string(bits, "2,4", "candidates of every weight and activation; one: fixed");
DEFINE_int32(threads, 1, "threads");
DEFINE_int32(runs, 20, "passes timed, after one that is not; medians are printed");

namespace nas {
namespace {

struct Microseconds {
  double forward = 0, backward = 0;
};

// Gives every convolution its precision; returns what learns.
std::vector<at::Tensor> SetPrecisions(Operation& operation, const std::vector<int64_t>& bits) {
  std::vector<at::Tensor> learned = operation.parameters();
  for (const auto& module : operation.modules()) {
    auto* conv = module->as<quant::PrecisionConv2dImpl>();
    if (conv == nullptr) continue;
    if (bits.size() == 1) {
      conv->set_precision(quant::Precision::Fixed(bits[0], bits[0]));
      continue;
    }
    const auto probabilities = [&] {
      const at::Tensor row = at::softmax(at::rand({static_cast<int64_t>(bits.size())}), 0);
      return learned.emplace_back(row.set_requires_grad(true));
    };
    const at::Tensor activation = probabilities();
    conv->set_precision(quant::Precision::Mixed(bits, activation, probabilities()));
  }
  return learned;
}

Microseconds Measure(const std::shared_ptr<Operation>& operation,
                     const std::vector<at::Tensor>& learned, const at::Tensor& x,
                     Implementation implementation) {
  FusedOperation fused(operation);
  std::vector<at::Tensor> inputs = learned;
  inputs.push_back(x);
  const double per_image = 1e6 / static_cast<double>(FLAGS_batch);
  std::vector<double> forward, backward;
  for (int run = 0; run <= FLAGS_runs; ++run) {
    at::Tensor y;
    const double of_forward = Seconds([&] { y = fused.Forward({x}, implementation); });
    const at::Tensor gradient = at::randn_like(y);
    const double of_backward = Seconds([&] { torch::autograd::grad({y}, inputs, {gradient}); });
    if (run == 0) continue;
    forward.push_back(of_forward * per_image);
    backward.push_back(of_backward * per_image);
  }
  return {base::Median(std::move(forward)), base::Median(std::move(backward))};
}

void Run() {
  RequirePositive("channels", FLAGS_channels);
  RequirePositive("batch", FLAGS_batch);
  RequirePositive("threads", FLAGS_threads);
  RequirePositive("runs", FLAGS_runs);
  if (FLAGS_side < 2 || FLAGS_side % 2 != 0) {
    RefuseFlag("side", std::to_string(FLAGS_side), "an even number of pixels");
  }
  at::set_num_threads(FLAGS_threads);
  const std::vector<int64_t> bits = ParseBits(FLAGS_bits);
  std::printf(
      "microseconds of an image: %ld channels, %ld x %ld, batch %ld, bits {%s}, %d threads\n",
      FLAGS_channels, FLAGS_side, FLAGS_side, FLAGS_batch, FLAGS_bits.c_str(), FLAGS_threads);
  std::printf("%-24s %19s %19s %6s\n", "", "fused fwd, bwd", "modules fwd, bwd", "ratio");
  double all_fused = 0, all_composed = 0;
  for (const int64_t stride : {1, 2}) {
    for (const Primitive primitive : kSearchPrimitives) {
      if (primitive == Primitive::kNone) continue;
      if (primitive == Primitive::kSkipConnect && stride == 1) continue;  // The identity.
      torch::manual_seed(1);
      const auto operation = MakeOperation(primitive, FLAGS_channels, stride, {});
      const std::vector<at::Tensor> learned = SetPrecisions(*operation, bits);
      const at::Tensor x =
          at::randn({FLAGS_batch, FLAGS_channels, FLAGS_side, FLAGS_side}).set_requires_grad(true);
      const Microseconds fused = Measure(operation, learned, x, Implementation::kFused);
      const Microseconds composed = Measure(operation, learned, x, Implementation::kComposed);
      const double of_fused = fused.forward + fused.backward;
      const double of_composed = composed.forward + composed.backward;
      all_fused += of_fused;
      all_composed += of_composed;
      std::printf("%-14s stride %ld %9.1f %9.1f %9.1f %9.1f %6.1f\n",
                  std::string(PrimitiveName(primitive)).c_str(), stride, fused.forward,
                  fused.backward, composed.forward, composed.backward, of_composed / of_fused);
    }
  }
  std::printf("ratio %.1f\n", all_composed / all_fused);
}

}  // namespace
}  // namespace nas

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  nas::Run();
}
