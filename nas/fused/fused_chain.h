// An operation of a derived network as one differentiable operator on the CPU: one or two units
// (unit_shape.h), ReLU to batch normalization each. The same numbers as its modules, up to the
// order of sums and the rounding of a folded batch normalization; kept for the backward pass are
// the outputs of its pointwise convolutions alone.
#ifndef NAS_FUSED_FUSED_CHAIN_H_
#define NAS_FUSED_FUSED_CHAIN_H_

#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/fused/chain_spec.h"

namespace nas::fused {

// All of the input's dtype, float32 or float64.
struct ChainTensors {
  std::vector<at::Tensor> x;  // [N, C_i, H, W]: the input is all of them, channel after channel.
  // Of the units' convolutions, one after the other; quantized.
  std::vector<at::Tensor> weights = {};
  // Of the same, [bits]; undefined for a single candidate.
  std::vector<at::Tensor> probabilities = {};
  // Of the units, [out]; undefined without affine part.
  std::vector<at::Tensor> scales = {}, shifts = {};
};

// Why the operator cannot compute this; empty if it can.
std::string WhyNotFused(const ChainSpec& chain, const at::Tensor& x);

// [N, out, H / stride, W / stride]. Differentiable once in all tensors. In training the statistics
// are the batch's, over all ranks, and move the running ones.
at::Tensor ApplyChain(const ChainSpec& chain, bool training, const ChainTensors& tensors);

}  // namespace nas::fused

#endif  // NAS_FUSED_FUSED_CHAIN_H_
