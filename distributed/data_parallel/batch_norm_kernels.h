// The inner loop of synchronized batch normalization on the CPU, vectorized for the instruction set
// of the machine.
#ifndef DISTRIBUTED_DATA_PARALLEL_BATCH_NORM_KERNELS_H_
#define DISTRIBUTED_DATA_PARALLEL_BATCH_NORM_KERNELS_H_

#include <cstdint>

namespace distributed {

// dx[i] = a·dy[i] + b·x[i] + c.
void Combine(const float* dy, const float* x, int64_t size, float a, float b, float c, float* dx);
void Combine(const double* dy, const double* x, int64_t size, double a, double b, double c,
             double* dx);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_BATCH_NORM_KERNELS_H_
