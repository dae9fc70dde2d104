// One node of a supernet cell as one differentiable operator: the weighted sum of what its edges'
// operations made of the first 1/k of the channels, the weighted sum of the channels that bypass
// them, and the channel shuffle (PC-DARTS, arXiv:1907.05737).
//
// The published code scales and adds, concatenates and shuffles edge by edge. All edges of a node
// shuffle alike, so that summing first gives the same node with one write of the output.
#ifndef NAS_SUPERNET_MIX_NODE_H_
#define NAS_SUPERNET_MIX_NODE_H_

#include "ATen/core/Tensor.h"

namespace nas {

// With p = sum_i operation_weights[i] * operations[i], [N, P, H, W], and b = sum_e edge_weights[e]
// * bypasses[e], [N, (k - 1) P, H, W]: the channel shuffle with k groups of (p, b) concatenated,
// that is channel c of group g becomes channel c k + g; [N, k P, H, W].
//
// operation_weights is [number of operations], edge_weights [number of bypasses]. With k = 1 the
// bypasses have no channels. At least one of each. Differentiable once in all four.
at::Tensor MixNode(const at::Tensor& operation_weights, at::TensorList operations,
                   const at::Tensor& edge_weights, at::TensorList bypasses);

}  // namespace nas

#endif  // NAS_SUPERNET_MIX_NODE_H_
