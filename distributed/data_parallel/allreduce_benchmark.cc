// What ranks cost: the constants of the model in docs/scaling.md, and weak scaling.
//
//   bazel-bin/tools/local_mpirun 2 bazel-bin/distributed/data_parallel/allreduce_benchmark
//
// First the time t of an all-reduce of n bytes on R ranks, and from the smallest and the largest
// size its latency and its bandwidth 2n(R-1)/R / t. Then what a small all-reduce takes while a
// bucket of gradients is under way, against the same on its own. Then a training step of a
// convolutional network with synchronized batch normalization, one thread per rank: rank 0 alone on
// its batch, the others idle (the baseline); all ranks at once, each on its own; all ranks as one
// job, each with as large a batch. The ratio of the first and the third is the weak-scaling
// efficiency; that of the first and the second is what the machine's cores, caches and memory
// allow. Rounds alternate between the three, so that what else runs on the machine slows all.
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/zeros.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/median.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/create_communicator.h"
#include "distributed/communication/single_communicator.h"
#include "distributed/data_parallel/batch_norm.h"
#include "distributed/data_parallel/gradient_reducer.h"
#include "gflags/gflags.h"

DEFINE_int32(repeats, 21, "Measurements, of which the median counts.");
DEFINE_int64(batch, 16, "Images per rank of a training step.");
DEFINE_int64(layers, 12, "Convolutions of the network.");
DEFINE_int64(channels, 32, "Channels of each.");
DEFINE_bool(cuda, false, "All-reduce CUDA tensors, over NCCL.");

namespace distributed {
namespace {

constexpr int kStepsPerRound = 5;
constexpr int64_t kBucketBytes = 8 << 20;

absl::StatusOr<double> Seconds(absl::FunctionRef<absl::Status()> body) {
  const absl::Time start = absl::Now();
  RETURN_IF_ERROR(body());
  return absl::ToDoubleSeconds(absl::Now() - start);
}

// The median duration of `body` in seconds.
absl::StatusOr<double> MedianSeconds(absl::FunctionRef<absl::Status()> body) {
  RETURN_IF_ERROR(body());  // Warms up.
  std::vector<double> seconds(FLAGS_repeats);
  for (double& duration : seconds) {
    ASSIGN_OR_RETURN(duration, Seconds(body));
  }
  return base::Median(std::move(seconds));
}

absl::Status MeasureAllReduce(Communicator& communicator) {
  const bool prints = communicator.rank() == 0;
  const double ranks = communicator.size();
  if (prints) printf("%12s %12s %12s\n", "bytes", "microseconds", "GB/s");
  double latency = 0, bandwidth = 0;
  for (int64_t bytes = 8; bytes <= 64 << 20; bytes *= 8) {
    const at::Tensor tensor = at::zeros(
        {bytes / 4}, at::TensorOptions(FLAGS_cuda ? at::kCUDA : at::kCPU).dtype(at::kFloat));
    ASSIGN_OR_RETURN(const double seconds, MedianSeconds([&]() -> absl::Status {
                       RETURN_IF_ERROR(communicator.AllReduce(tensor, ReduceOp::kSum));
                       tensor[0].item<float>();  // Waits for the device.
                       return absl::OkStatus();
                     }));
    if (latency == 0) latency = seconds;
    bandwidth = 2 * bytes * (ranks - 1) / ranks / seconds;
    if (prints) printf("%12ld %12.1f %12.3f\n", bytes, seconds * 1e6, bandwidth / 1e9);
  }
  if (prints) {
    printf("all-reduce on %.0f ranks: latency %.1f us, bandwidth %.3f GB/s\n", ranks, latency * 1e6,
           bandwidth / 1e9);
  }
  return absl::OkStatus();
}

// A small all-reduce that begins right after a bucket's, as in a backward pass with synchronized
// batch normalization.
absl::Status MeasureBehindBucket(Communicator& communicator) {
  const auto options = at::TensorOptions(FLAGS_cuda ? at::kCUDA : at::kCPU);
  const at::Tensor small = at::zeros({2, 64}, options.dtype(at::kDouble));
  const at::Tensor bucket = at::zeros({kBucketBytes / 4}, options.dtype(at::kFloat));
  const auto reduce_small = [&]() -> absl::StatusOr<double> {
    return Seconds([&]() -> absl::Status {
      RETURN_IF_ERROR(communicator.AllReduce(small, ReduceOp::kSum));
      small[0][0].item<double>();  // Waits for the device.
      return absl::OkStatus();
    });
  };
  std::vector<double> alone(FLAGS_repeats), behind(FLAGS_repeats);
  for (int i = 0; i < FLAGS_repeats; ++i) {
    RETURN_IF_ERROR(communicator.Barrier());
    ASSIGN_OR_RETURN(alone[i], reduce_small());
    RETURN_IF_ERROR(communicator.Barrier());
    const std::unique_ptr<Work> work = communicator.AllReduceAsync(bucket, ReduceOp::kSum);
    ASSIGN_OR_RETURN(behind[i], reduce_small());
    RETURN_IF_ERROR(work->Wait());
  }
  if (communicator.rank() == 0) {
    const double baseline = base::Median(alone), seconds = base::Median(behind);
    printf("all-reduce of %ld bytes: %.1f us; behind one of %ld bytes %.1f us, ratio %.2f\n",
           static_cast<int64_t>(small.nbytes()), baseline * 1e6, kBucketBytes, seconds * 1e6,
           seconds / baseline);
  }
  return absl::OkStatus();
}

// FLAGS_layers times convolution, batch normalization and ReLU.
class Network {
 public:
  explicit Network(Communicator* communicator) : input_(RandomInput()) {
    std::vector<at::Tensor> parameters;
    for (int64_t i = 0; i < FLAGS_layers; ++i) {
      kernels_.push_back(at::randn({FLAGS_channels, FLAGS_channels, 3, 3}).mul_(0.05));
      parameters.push_back(kernels_.back().requires_grad_());
      batch_norms_.emplace_back(FLAGS_channels);
      if (communicator->size() > 1) batch_norms_.back()->set_communicator(communicator);
      parameters.push_back(batch_norms_.back()->weight);
      parameters.push_back(batch_norms_.back()->bias);
    }
    reducer_ = std::make_unique<GradientReducer>(communicator, std::move(parameters),
                                                 GradientReducerOptions{});
  }

  absl::Status Step() {
    at::Tensor x = input_;
    for (int64_t i = 0; i < FLAGS_layers; ++i) {
      x = batch_norms_[i]->forward(at::conv2d(x, kernels_[i], {}, 1, 1)).relu();
    }
    reducer_->Start();
    x.mean().backward();
    return reducer_->Finish();
  }

 private:
  static at::Tensor RandomInput() { return at::randn({FLAGS_batch, FLAGS_channels, 32, 32}); }

  const at::Tensor input_;
  std::vector<at::Tensor> kernels_;
  std::vector<BatchNorm2d> batch_norms_;
  std::unique_ptr<GradientReducer> reducer_;
};

// The first step is not counted: it finds the caches cold, and a core that was idle.
absl::StatusOr<double> SecondsPerStep(Network& network) {
  RETURN_IF_ERROR(network.Step());
  ASSIGN_OR_RETURN(const double seconds, Seconds([&]() -> absl::Status {
                     for (int i = 0; i < kStepsPerRound; ++i) RETURN_IF_ERROR(network.Step());
                     return absl::OkStatus();
                   }));
  return seconds / kStepsPerRound;
}

absl::Status MeasureWeakScaling(Communicator& communicator) {
  const bool is_root = communicator.rank() == 0;
  const std::unique_ptr<Communicator> single = MakeSingleCommunicator();
  Network network_alone(single.get());
  Network network(&communicator);
  std::vector<double> alone(FLAGS_repeats), apart(FLAGS_repeats), together(FLAGS_repeats);
  for (int i = 0; i < FLAGS_repeats; ++i) {
    if (is_root) {
      ASSIGN_OR_RETURN(alone[i], SecondsPerStep(network_alone));
    }
    RETURN_IF_ERROR(communicator.Barrier());
    ASSIGN_OR_RETURN(apart[i], SecondsPerStep(network_alone));
    RETURN_IF_ERROR(communicator.Barrier());
    ASSIGN_OR_RETURN(together[i], SecondsPerStep(network));
    RETURN_IF_ERROR(communicator.Barrier());
  }
  if (is_root) {
    std::vector<double> efficiency(FLAGS_repeats);
    for (int i = 0; i < FLAGS_repeats; ++i) efficiency[i] = alone[i] / together[i];
    double load = 0;
    getloadavg(&load, 1);
    printf(
        "step of %ld images per rank, median of %d rounds: 1 rank %.1f ms, %d ranks apart %.1f ms, "
        "%d ranks as one job %.1f ms, efficiency %.3f; best round %.3f; load average %.1f\n",
        FLAGS_batch, FLAGS_repeats, base::Median(alone) * 1e3, communicator.size(),
        base::Median(apart) * 1e3, communicator.size(), base::Median(together) * 1e3,
        base::Median(efficiency), *std::max_element(efficiency.begin(), efficiency.end()), load);
  }
  return absl::OkStatus();
}

absl::Status Run() {
  at::set_num_threads(1);
  ASSIGN_OR_RETURN(const std::unique_ptr<Communicator> communicator,
                   CreateCommunicator({.cuda = FLAGS_cuda}));
  RETURN_IF_ERROR(MeasureAllReduce(*communicator));
  RETURN_IF_ERROR(MeasureBehindBucket(*communicator));
  return MeasureWeakScaling(*communicator);
}

}  // namespace
}  // namespace distributed

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  const absl::Status status = distributed::Run();
  if (!status.ok()) fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
