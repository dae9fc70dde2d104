// A supernet's cell as one differentiable operator on the CPU: the same numbers as the modules of
// nas/supernet, up to the order of sums and the rounding of a folded batch normalization.
//
// Every unit (cell_plan.h) reads its state once: the ReLU, the batch normalization before it and
// both mixtures of quantizers are applied while it is in cache; the normalization behind a primitive
// is part of the node's weighted sum. Pools are computed once per state. Kept for the backward pass
// are the outputs of convolutions; quantized copies are made again. Over ranks, the normalizations
// of all edges into a node share their all-reduces.
#ifndef NAS_FUSED_FUSED_CELL_H_
#define NAS_FUSED_FUSED_CELL_H_

#include <string>

#include "ATen/core/Tensor.h"
#include "nas/fused/cell_spec.h"

namespace nas::fused {

// Why the operator cannot compute this; empty if it can. Sizes of the inputs [N, C, H, W].
std::string WhyNotFused(const CellSpec& cell, const at::Tensor& s0, const at::Tensor& s1);

// s0, s1: the cell's inputs, contiguous. weights: the units' quantized weights, [plan.weights].
// activation_probabilities: [CellPlan::kRows, bits], undefined for a single candidate.
// primitive_weights: [14, 8] (CellMixture::probabilities). edge_weights: [14]. All of one dtype,
// float32 or float64. Differentiable once in all of them. In training the statistics are the
// batch's, over all ranks, and move the running ones.
at::Tensor ApplyFusedCell(const CellSpec& cell, bool training, const at::Tensor& s0,
                          const at::Tensor& s1, const at::Tensor& weights,
                          const at::Tensor& activation_probabilities,
                          const at::Tensor& primitive_weights, const at::Tensor& edge_weights);

}  // namespace nas::fused

#endif  // NAS_FUSED_FUSED_CELL_H_
