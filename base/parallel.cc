#include "base/parallel.h"

#include "ATen/Parallel.h"

#if !defined(_OPENMP)
#error "at::parallel_for is serial without OpenMP: compile with -fopenmp"
#endif

namespace base {

void ParallelFor(int64_t begin, int64_t end, int64_t grain,
                 const std::function<void(int64_t first, int64_t last)>& body) {
  at::parallel_for(begin, end, grain, body);
}

}  // namespace base
