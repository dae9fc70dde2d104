// A batch normalization in evaluation as x·scale + shift, per channel.
#ifndef DISTRIBUTED_DATA_PARALLEL_FOLDED_BATCH_NORM_H_
#define DISTRIBUTED_DATA_PARALLEL_FOLDED_BATCH_NORM_H_

#include "ATen/core/Tensor.h"

namespace distributed {

struct FoldedBatchNorm {
  at::Tensor scale, shift;  // float32 [C]

  // In float64 and rounded once to x's dtype; x [N, C, H, W].
  at::Tensor Apply(const at::Tensor& x) const;
};

// Of a layer's tensors, all [C]; weight and bias may be undefined. Computed in float64.
FoldedBatchNorm FoldBatchNorm(const at::Tensor& weight, const at::Tensor& bias,
                              const at::Tensor& running_mean, const at::Tensor& running_var,
                              double eps);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_FOLDED_BATCH_NORM_H_
