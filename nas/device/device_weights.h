// The mixtures of a cell's weights by one kernel on a device that runs them.
#ifndef NAS_DEVICE_DEVICE_WEIGHTS_H_
#define NAS_DEVICE_DEVICE_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "quant/lattice.h"

namespace nas::device {

// As quant::MixedWeights, for up to kMaxWeights weights and five bit widths.
at::Tensor MixedWeights(at::TensorList weights, const std::vector<int64_t>& rows,
                        at::IntArrayRef bits, const at::Tensor& probs, quant::EightBit eight_bit);

}  // namespace nas::device

#endif  // NAS_DEVICE_DEVICE_WEIGHTS_H_
