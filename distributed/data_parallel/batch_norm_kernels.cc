#include "distributed/data_parallel/batch_norm_kernels.h"

#include "base/multiversion.h"

namespace distributed {
namespace {

template <typename T>
MULTIVERSION_INLINE void CombineOf(const T* dy, const T* x, int64_t size, T a, T b, T c, T* dx) {
  for (int64_t i = 0; i < size; ++i) dx[i] = a * dy[i] + b * x[i] + c;
}

}  // namespace

MULTIVERSION(void, Combine,
             (const float* dy, const float* x, int64_t size, float a, float b, float c, float* dx),
             (dy, x, size, a, b, c, dx), CombineOf)
MULTIVERSION(void, Combine,
             (const double* dy, const double* x, int64_t size, double a, double b, double c,
              double* dx),
             (dy, x, size, a, b, c, dx), CombineOf)

}  // namespace distributed
