#include "nas/benchmark/measures.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/mm.h"
#include "ATen/ops/randint.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/median.h"
#include "glog/logging.h"
#include "quant/lattice.h"

namespace nas {
namespace {

double MedianSeconds(int runs, const std::function<void()>& body, at::Device device) {
  std::vector<double> seconds(runs);
  for (double& value : seconds) value = Seconds(body, device);
  return base::Median(std::move(seconds));
}

// Peak of resident memory since the last reset (Linux).
void ResetPeakMemory() { std::ofstream("/proc/self/clear_refs") << "5"; }

double PeakMemoryBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    double kilobytes;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  LOG(FATAL) << "/proc/self/status has no VmHWM";
}

}  // namespace

void RefuseFlag(const std::string& flag, const std::string& value, const std::string& expected) {
  std::fprintf(stderr, "--%s=%s is not %s\n", flag.c_str(), value.c_str(), expected.c_str());
  std::exit(1);
}

void RequirePositive(const std::string& flag, int64_t value) {
  if (value < 1) RefuseFlag(flag, absl::StrCat(value), "a number from 1 on");
}

std::vector<int64_t> ParseBits(const std::string& bits) {
  std::vector<int64_t> parsed;
  for (const auto text : absl::StrSplit(bits, ',')) {
    if (!absl::SimpleAtoi(text, &parsed.emplace_back()) || !quant::IsSupportedBits(parsed.back())) {
      RefuseFlag("bits", bits,
                 absl::StrCat("numbers of bits (", quant::kSupportedBits, ") between commas"));
    }
  }
  return parsed;
}

double Seconds(const std::function<void()>& body, at::Device device) {
  const auto start = std::chrono::steady_clock::now();
  body();
  // Reading a value waits for all that was launched before.
  if (!device.is_cpu()) at::zeros({}, device).item<float>();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

distributed::Batch RandomBatch(int64_t images, int64_t side, int64_t classes, at::Device device) {
  distributed::Batch batch;
  batch.images = at::randn({images, 3, side, side}).to(device);
  batch.labels = at::randint(classes, {images}, at::kLong).to(device);
  batch.global_count = images;
  batch.loss_weight = 1.0 / images;
  return batch;
}

StepMeasure MeasureStep(int steps, const std::function<void()>& step,
                        const std::function<at::Tensor()>& loss, at::Device device) {
  ResetPeakMemory();
  Seconds(step, device);
  StepMeasure measure;
  measure.seconds = MedianSeconds(steps, step, device);
  measure.peak_memory = PeakMemoryBytes();
  std::vector<double> forward, backward;
  for (int i = 0; i < steps; ++i) {
    at::Tensor of_pass;
    forward.push_back(Seconds([&] { of_pass = loss(); }, device));
    backward.push_back(Seconds([&] { of_pass.backward(); }, device));
  }
  measure.forward = base::Median(std::move(forward));
  measure.backward = base::Median(std::move(backward));
  return measure;
}

void PrintMeasure(Implementation implementation, const StepMeasure& measure, int64_t images,
                  double flop, double peak) {
  std::printf(
      "%-9s step %8.3f s   forward %7.3f s   backward %7.3f s   %7.1f images/s   "
      "%6.0f MB   %6.1f GFLOP/s, %4.1f %% of a matrix product's\n",
      implementation == Implementation::kFused ? "fused" : "composed", measure.seconds,
      measure.forward, measure.backward, images / measure.seconds, measure.peak_memory / 1e6,
      flop / measure.seconds / 1e9, 100 * flop / measure.seconds / peak);
  std::fflush(stdout);
}

void CompareImplementations(const std::string& impl,
                            const std::function<double(Implementation)>& measure) {
  if (impl != "fused" && impl != "composed" && impl != "both") {
    RefuseFlag("impl", impl, "fused, composed or both");
  }
  double fused = 0, composed = 0;
  if (impl != "composed") fused = measure(Implementation::kFused);
  if (impl != "fused") composed = measure(Implementation::kComposed);
  if (impl == "both") std::printf("ratio %.1f\n", composed / fused);
}

double MatrixProductFlops(at::Device device) {
  constexpr int64_t kSide = 2048;
  const at::Tensor a = at::randn({kSide, kSide}, device), b = at::randn({kSide, kSide}, device);
  a.mm(b);
  return 2.0 * kSide * kSide * kSide /
         MedianSeconds(
             5, [&] { a.mm(b); }, device);
}

}  // namespace nas
