#include "nas/benchmark/measures.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include "ATen/ops/mm.h"
#include "ATen/ops/randn.h"
#include "glog/logging.h"

namespace nas {

double Seconds(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

double MedianSeconds(int runs, const std::function<void()>& body) {
  std::vector<double> seconds(runs);
  for (double& value : seconds) value = Seconds(body);
  return Median(std::move(seconds));
}

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

double MatrixProductFlops() {
  constexpr int64_t kSide = 2048;
  const at::Tensor a = at::randn({kSide, kSide}), b = at::randn({kSide, kSide});
  a.mm(b);
  return 2.0 * kSide * kSide * kSide / MedianSeconds(5, [&] { a.mm(b); });
}

}  // namespace nas
