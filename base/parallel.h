// Loops over LibTorch's threads. Not at::parallel_for itself: that is a template which silently
// runs on one thread wherever it is compiled without OpenMP.
#ifndef BASE_PARALLEL_H_
#define BASE_PARALLEL_H_

#include <cstdint>
#include <functional>

namespace base {

// Calls body(first, last) on ranges that together are [begin, end), each of at least `grain` but
// for the last, on at::get_num_threads() threads; in a loop within a loop on this one alone. Rethrows
// what a body throws.
void ParallelFor(int64_t begin, int64_t end, int64_t grain,
                 const std::function<void(int64_t first, int64_t last)>& body);

}  // namespace base

#endif  // BASE_PARALLEL_H_
