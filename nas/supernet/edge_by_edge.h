// MixNode as the published code computes it, for tests and benchmarks: each operation's output
// scaled and added, each edge concatenated and shuffled, the edges added.
#ifndef NAS_SUPERNET_EDGE_BY_EDGE_H_
#define NAS_SUPERNET_EDGE_BY_EDGE_H_

#include "ATen/core/Tensor.h"

namespace nas {

// The same as MixNode (mix_node.h), for edges of equally many operations.
at::Tensor MixEdgeByEdge(const at::Tensor& operation_weights, at::TensorList operations,
                         const at::Tensor& edge_weights, at::TensorList bypasses);

}  // namespace nas

#endif  // NAS_SUPERNET_EDGE_BY_EDGE_H_
