// What the benchmarks of training steps measure with.
#ifndef NAS_BENCHMARK_MEASURES_H_
#define NAS_BENCHMARK_MEASURES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "distributed/training/batch_source.h"
#include "nas/fused/implementation.h"

namespace nas {

// Ends the program with one line: --flag=value is not `expected`.
[[noreturn]] void RefuseFlag(const std::string& flag, const std::string& value,
                             const std::string& expected);
// Refuses a flag below 1.
void RequirePositive(const std::string& flag, int64_t value);

// What `--bits` names: numbers between commas; 32 is float.
std::vector<int64_t> ParseBits(const std::string& bits);

// How long body() takes, and what it launched on `device`.
double Seconds(const std::function<void()>& body, at::Device device = at::kCPU);

// Images and labels of one rank alone.
distributed::Batch RandomBatch(int64_t images, int64_t side, int64_t classes,
                               at::Device device = at::kCPU);

// What a step of an implementation takes.
struct StepMeasure {
  double seconds, forward, backward;  // Medians: of a whole step, of its passes alone.
  double peak_memory;                 // Bytes, of the host.
};
// Of `steps` calls each, after a first step; `loss` runs a forward pass.
StepMeasure MeasureStep(int steps, const std::function<void()>& step,
                        const std::function<at::Tensor()>& loss, at::Device device = at::kCPU);
// Prints it in a line. flop: of a step; peak: see MatrixProductFlops.
void PrintMeasure(Implementation implementation, const StepMeasure& measure, int64_t images,
                  double flop, double peak);

// Calls measure(), which returns the seconds of a step, for the implementations that --impl names
// (fused, composed, or both, and then prints their ratio).
void CompareImplementations(const std::string& impl,
                            const std::function<double(Implementation)>& measure);

// Floating-point operations per second of a large float32 matrix product, on all threads of a CPU.
double MatrixProductFlops(at::Device device = at::kCPU);

}  // namespace nas

#endif  // NAS_BENCHMARK_MEASURES_H_
