// The complexity of a supernet: the expected BitOps of its convolutions, in units of the first
// convolution's multiply-accumulates (QDARTS/model_search.py, complexity_loss).
#ifndef NAS_SUPERNET_COMPLEXITY_H_
#define NAS_SUPERNET_COMPLEXITY_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/supernet/precision_parameters.h"
#include "quant/bit_cost.h"
#include "quant/precision_conv.h"

namespace nas {

// A convolution whose precision is searched.
struct ConvUse {
  const quant::PrecisionConv2dImpl* conv;
  int64_t row;       // Of the precision parameters.
  int64_t presence;  // Index of the probability that the derived network has the convolution.
};

// sum over convolutions of macs * E[activation bits] * E[weight bits], divided by the first one's
// macs; a scalar, differentiable in the gammas. Sizes are those of the last forward. If `presence`
// [number of probabilities] is defined, every term is weighted by its entry, differentiably.
at::Tensor Complexity(const std::vector<ConvUse>& convs, const PrecisionParametersImpl& precision,
                      quant::CostModel model, const at::Tensor& presence);

}  // namespace nas

#endif  // NAS_SUPERNET_COMPLEXITY_H_
