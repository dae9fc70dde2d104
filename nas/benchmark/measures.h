// What the benchmarks of training steps measure with.
#ifndef NAS_BENCHMARK_MEASURES_H_
#define NAS_BENCHMARK_MEASURES_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "distributed/training/batch_source.h"
#include "nas/fused/implementation.h"

namespace nas {

double Seconds(const std::function<void()>& body);
double Median(std::vector<double> values);
// Of `runs` calls.
double MedianSeconds(int runs, const std::function<void()>& body);

// Images and labels of one rank alone.
distributed::Batch RandomBatch(int64_t images, int64_t side, int64_t classes);

// What a step of an implementation takes.
struct StepMeasure {
  double seconds, forward, backward;  // Medians: of a whole step, of its passes alone.
  double peak_memory;                 // Bytes.
};
// Prints it in a line. flop: of a step; peak: see MatrixProductFlops.
void PrintMeasure(Implementation implementation, const StepMeasure& measure, int64_t images,
                  double flop, double peak);

// Peak of resident memory since the last reset (Linux).
void ResetPeakMemory();
double PeakMemoryBytes();

// Floating-point operations per second of a large float32 matrix product on all threads.
double MatrixProductFlops();

}  // namespace nas

#endif  // NAS_BENCHMARK_MEASURES_H_
