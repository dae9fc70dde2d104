// What the benchmarks of training steps measure with.
#ifndef NAS_BENCHMARK_MEASURES_H_
#define NAS_BENCHMARK_MEASURES_H_

#include <functional>
#include <vector>

namespace nas {

double Seconds(const std::function<void()>& body);
double Median(std::vector<double> values);
// Of `runs` calls.
double MedianSeconds(int runs, const std::function<void()>& body);

// Peak of resident memory since the last reset (Linux).
void ResetPeakMemory();
double PeakMemoryBytes();

// Floating-point operations per second of a large float32 matrix product on all threads.
double MatrixProductFlops();

}  // namespace nas

#endif  // NAS_BENCHMARK_MEASURES_H_
