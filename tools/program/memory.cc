#include "tools/program/memory.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "c10/core/Allocator.h"
#include "c10/util/ThreadLocalDebugInfo.h"
#include "distributed/communication/rank_agreement.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_ranges.h"

DEFINE_double(memory_gb, 0,
              "Memory that all ranks of a host may use, in 10^9 bytes; 0: all that the host has.");
FLAG_RANGE(memory_gb, tools::AtLeast(0));

namespace tools {
namespace {

// What LibTorch's profiler hears of its allocators, from any thread.
class PeakMeter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) override {
    const std::lock_guard lock(mutex_);
    current_ += bytes;
    peak_ = std::max(peak_, current_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t peak() const { return peak_; }

 private:
  std::mutex mutex_;
  int64_t current_ = 0;
  int64_t peak_ = 0;
};

// The number in `file` that follows `key`; 0 if there is none ("max", or no such file).
double NumberIn(const char* file, const std::string& key) {
  std::ifstream in(file);
  std::string word;
  double value;
  if (!key.empty()) {
    while (in >> word && word != key) {
    }
  }
  return in >> word && absl::SimpleAtod(word, &value) ? value : 0;
}

}  // namespace

double PeakTensorBytes(const std::function<void()>& body) {
  const auto meter = std::make_shared<PeakMeter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  body();
  return static_cast<double>(meter->peak());
}

StepCost MeasureStep(const std::function<void(int64_t images)>& step, int64_t images) {
  const auto measure = [&step](int64_t count) {
    const absl::Time start = absl::Now();
    const double bytes = PeakTensorBytes([&] { step(count); });
    return StepCost{.bytes = bytes, .seconds = absl::ToDoubleSeconds(absl::Now() - start)};
  };
  step(2);  // What is made once and kept, gradients for one, is not the second step's.
  const StepCost two = measure(2), four = measure(4);
  const double more = static_cast<double>(std::max<int64_t>(images, 2) - 2) / 2;
  return {.bytes = two.bytes + more * std::max(0.0, four.bytes - two.bytes),
          .seconds = two.seconds + more * std::max(0.0, four.seconds - two.seconds)};
}

double MachineBytes() {
  double bytes = 1024 * NumberIn("/proc/meminfo", "MemTotal:");
  for (const char* bound :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const double limit = NumberIn(bound, "");
    if (limit > 0 && (bytes == 0 || limit < bytes)) bytes = limit;
  }
  return bytes;
}

absl::Status RequireMemory(double bytes, distributed::Communicator& communicator) {
  const std::string& host = communicator.place().host;
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts,
                   distributed::AllGatherStrings(communicator, host));
  const int64_t ranks = std::count(hosts.begin(), hosts.end(), host);
  const double there = FLAGS_memory_gb > 0 ? FLAGS_memory_gb * 1e9 : MachineBytes();
  const double needed = bytes * static_cast<double>(ranks);
  if (there == 0 || needed <= there) {
    return distributed::AgreeOnStatus(communicator, absl::OkStatus());
  }
  return distributed::AgreeOnStatus(
      communicator, absl::ResourceExhaustedError(absl::StrCat(
                        "--batch: a step needs at least ", absl::StrFormat("%.3g", needed * 1e-9),
                        " GB for ", ranks, ranks == 1 ? " rank" : " ranks", " on ", host,
                        ", which ", FLAGS_memory_gb > 0 ? "may use " : "has ",
                        absl::StrFormat("%.3g", there * 1e-9), " GB")));
}

}  // namespace tools
