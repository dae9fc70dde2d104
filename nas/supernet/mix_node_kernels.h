// The inner loops of MixNode on the CPU: plain pointers, the same bits on every instruction set and
// for any number of threads.
#ifndef NAS_SUPERNET_MIX_NODE_KERNELS_H_
#define NAS_SUPERNET_MIX_NODE_KERNELS_H_

#include <cstdint>

namespace nas {

// sum[j] = terms[0][j]·weights[0] + terms[1][j]·weights[1] + …, added in this order; at least one
// term. Each term starts at terms[i] + begin.
void WeightedSumRun(const float* const* terms, const float* weights, int64_t count, int64_t begin,
                    int64_t size, float* sum);
void WeightedSumRun(const double* const* terms, const double* weights, int64_t count, int64_t begin,
                    int64_t size, double* sum);

// Σ a[j]·b[j].
double DotRun(const float* a, const float* b, int64_t size);
double DotRun(const double* a, const double* b, int64_t size);

}  // namespace nas

#endif  // NAS_SUPERNET_MIX_NODE_KERNELS_H_
