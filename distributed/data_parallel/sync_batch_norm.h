// Batch normalization over the global batch: N ranks compute what one rank computes on all samples.
//
// Ioffe and Szegedy, arXiv:1502.03167. Each rank's mean and variance travel as float64 and are
// merged in order of rank (Chan et al., 1979), so that every rank normalizes with identical bits,
// and no sum of squares cancels.
#ifndef DISTRIBUTED_DATA_PARALLEL_SYNC_BATCH_NORM_H_
#define DISTRIBUTED_DATA_PARALLEL_SYNC_BATCH_NORM_H_

#include "ATen/core/Tensor.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// Normalizes `x` [N, C, H, W] (float32 or float64; N may be 0 on some ranks) per channel by the
// mean and the biased variance over all ranks, then scales by `weight` and shifts by `bias` ([C],
// may be undefined). Moves `running_mean` and `running_var` ([C], may be undefined) towards the
// mean and the unbiased variance by `momentum`. Differentiable once, in x, weight and bias: the
// gradient of x takes every rank's loss into account, those of weight and bias are this rank's part
// of the sum. Every rank calls it, and runs its backward, in the same order. Throws StatusException
// if a collective fails.
at::Tensor SyncBatchNorm(Communicator& communicator, const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& bias, const at::Tensor& running_mean,
                         const at::Tensor& running_var, double momentum, double eps);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_SYNC_BATCH_NORM_H_
