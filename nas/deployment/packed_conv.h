// A convolution of a network as a node of a packed one.
#ifndef NAS_DEPLOYMENT_PACKED_CONV_H_
#define NAS_DEPLOYMENT_PACKED_CONV_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "nas/derived/derived_layout.h"
#include "quant/lattice.h"
#include "quant/runtime/packed_network.h"

namespace nas {

// The numbers of a tensor on any device, float32.
std::vector<float> FloatsOf(const at::Tensor& tensor);

// Sets weights, units and activation of `node`, whose name they have in errors (LowerNetwork).
// `weight` [out, in / groups, height, width]; `range` as PrecisionConv2d's fixed_range.
absl::Status SetConvArithmetic(const at::Tensor& weight, const at::Tensor& range,
                               const ConvBits& bits, quant::EightBit eight_bit,
                               quant::runtime::Node& node);

}  // namespace nas

#endif  // NAS_DEPLOYMENT_PACKED_CONV_H_
