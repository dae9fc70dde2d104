// A supernet's cell as one differentiable operator on a device that runs kernels (launcher.h): on
// CUDA what nas/fused/fused_cell.h is on the CPU.
//
// Each phase of the cell is one launch over all edges that are ready: the convolutions into a node,
// the statistics behind them, the node's sum. Nothing waits for the device, and what a launch
// depends on is sizes alone.
#ifndef NAS_DEVICE_DEVICE_CELL_H_
#define NAS_DEVICE_DEVICE_CELL_H_

#include <string>

#include "ATen/core/Tensor.h"
#include "nas/fused/cell_spec.h"

namespace nas::device {

// Why the operator cannot compute this on a device that has a launcher; empty if it can. Sizes of
// the inputs [N, C, H, W].
std::string WhyNotOnDevice(const fused::CellSpec& cell, const at::Tensor& s0, const at::Tensor& s1);

// As fused::ApplyFusedCell, all tensors on one device.
at::Tensor ApplyCell(const fused::CellSpec& cell, bool training, const at::Tensor& s0,
                     const at::Tensor& s1, const at::Tensor& weights,
                     const at::Tensor& activation_probabilities,
                     const at::Tensor& primitive_weights, const at::Tensor& edge_weights);

}  // namespace nas::device

#endif  // NAS_DEVICE_DEVICE_CELL_H_
