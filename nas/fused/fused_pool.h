// 3x3 pools as differentiable operators on the CPU.
#ifndef NAS_FUSED_FUSED_POOL_H_
#define NAS_FUSED_FUSED_POOL_H_

#include <cstdint>
#include <string>

#include "ATen/core/Tensor.h"

namespace nas::fused {

struct PoolSpec {
  bool max;  // Else the average.
  int64_t stride;
};

// Why the operator cannot compute this; empty if it can.
std::string WhyNotFused(const PoolSpec& pool, const at::Tensor& x);

// x: [N, C, H, W], float32 or float64; padded by 1 with what does not count. Differentiable once: a
// maximum's gradient goes to the first of equal values.
at::Tensor ApplyPool(const PoolSpec& pool, const at::Tensor& x);

}  // namespace nas::fused

#endif  // NAS_FUSED_FUSED_POOL_H_
