// How the samples of a batch are shared among threads, and sums and ranges over them and the ranks.
#ifndef NAS_FUSED_TASKS_H_
#define NAS_FUSED_TASKS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/parallel.h"
#include "distributed/communication/communicator.h"

namespace nas::fused {

// A task has so many samples whatever the number of threads, so that sums do not depend on it.
inline constexpr int64_t kTaskSamples = 4;

inline int64_t NumTasks(int64_t samples) { return (samples + kTaskSamples - 1) / kTaskSamples; }
// Calls task(index, first sample, end) in parallel; a thread that is done takes the next one.
template <typename Task>
void ForEachTask(int64_t samples, const Task& task) {
  const int64_t tasks = NumTasks(samples);
  std::atomic<int64_t> next = 0;
  base::ParallelFor(0, tasks, 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < tasks; i = next++) {
      task(i, i * kTaskSamples, std::min((i + 1) * kTaskSamples, samples));
    }
  });
}

// Rows of `width` partial sums, added in the order of tasks.
std::vector<double> AddTasks(const std::vector<double>& partial, int64_t tasks, int64_t width);

// Sums over the ranks; the communicator may be null.
void SumOverRanks(distributed::Communicator* communicator, std::vector<double>& sums);
// Pairs of least and greatest, over the ranks.
template <typename T>
void JoinOverRanks(distributed::Communicator* communicator, std::vector<T>& ranges);

// Least and greatest value of each channel over all samples and ranks: join(sample, ranges) joins
// those of a sample.
template <typename T, typename Join>
std::vector<T> RangesOf(int64_t samples, int64_t channels, distributed::Communicator* communicator,
                        const Join& join) {
  std::vector<T> empty(2 * channels);
  for (int64_t c = 0; c < channels; ++c) {
    empty[2 * c] = std::numeric_limits<T>::infinity();
    empty[2 * c + 1] = -std::numeric_limits<T>::infinity();
  }
  std::vector<std::vector<T>> by_task(NumTasks(samples), empty);
  ForEachTask(samples, [&](int64_t task, int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) join(n, by_task[task].data());
  });
  std::vector<T> ranges = empty;
  for (const std::vector<T>& part : by_task) {
    for (int64_t c = 0; c < channels; ++c) {
      ranges[2 * c] = std::min(ranges[2 * c], part[2 * c]);
      ranges[2 * c + 1] = std::max(ranges[2 * c + 1], part[2 * c + 1]);
    }
  }
  JoinOverRanks(communicator, ranges);
  return ranges;
}

}  // namespace nas::fused

#endif  // NAS_FUSED_TASKS_H_
