// The range of a global batch's activations, which 8-bit lattices depend on.
#ifndef DISTRIBUTED_DATA_PARALLEL_GLOBAL_RANGE_H_
#define DISTRIBUTED_DATA_PARALLEL_GLOBAL_RANGE_H_

#include "ATen/core/Tensor.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// The smallest and the largest value of each channel of x ([N, C, H, W], N may be 0 on some ranks)
// over all ranks: [2, C, 1, 1]. Every rank calls it; throws StatusException if the collective
// fails.
at::Tensor GlobalRange(Communicator& communicator, const at::Tensor& x);

// The same of ranges that are at hand: least values [0], greatest ones [1]; the shape stays.
at::Tensor JoinRanges(Communicator& communicator, const at::Tensor& range);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_GLOBAL_RANGE_H_
