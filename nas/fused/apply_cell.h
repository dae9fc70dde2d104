// What every implementation of a cell has around it.
#ifndef NAS_FUSED_APPLY_CELL_H_
#define NAS_FUSED_APPLY_CELL_H_

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "c10/util/Exception.h"
#include "nas/fused/cell_spec.h"

namespace nas::fused {

// Function::apply, a torch::autograd::Function's, on what ApplyFusedCell takes: contiguous, and
// probabilities without elements in place of undefined ones, which autograd does not take.
template <typename Function>
at::Tensor ApplyCell(const CellSpec& cell, bool training, const at::Tensor& s0,
                     const at::Tensor& s1, const at::Tensor& weights,
                     const at::Tensor& activation_probabilities,
                     const at::Tensor& primitive_weights, const at::Tensor& edge_weights) {
  TORCH_CHECK(weights.numel() == cell.plan->weights, "expected ", cell.plan->weights,
              " weights, got ", weights.numel());
  const at::Tensor probabilities = activation_probabilities.defined()
                                       ? activation_probabilities.contiguous()
                                       : at::empty({0}, s1.options().requires_grad(false));
  return Function::apply(cell, training, s0.contiguous(), s1.contiguous(), weights.contiguous(),
                         probabilities, primitive_weights.contiguous(), edge_weights.contiguous());
}

}  // namespace nas::fused

#endif  // NAS_FUSED_APPLY_CELL_H_
