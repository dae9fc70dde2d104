#include "nas/supernet/edge_by_edge.h"

#include "ATen/TensorOperators.h"
#include "ATen/ops/cat.h"

namespace nas {

at::Tensor MixEdgeByEdge(const at::Tensor& operation_weights, at::TensorList operations,
                         const at::Tensor& edge_weights, at::TensorList bypasses) {
  const size_t per_edge = operations.size() / bypasses.size();
  at::Tensor node;
  for (size_t edge = 0; edge < bypasses.size(); ++edge) {
    at::Tensor processed;
    for (size_t i = edge * per_edge; i < (edge + 1) * per_edge; ++i) {
      const at::Tensor term = operation_weights[i] * operations[i];
      processed = processed.defined() ? processed + term : term;
    }
    const at::Tensor joined = at::cat({processed, edge_weights[edge] * bypasses[edge]}, 1);
    const int64_t n = joined.size(0), channels = joined.size(1), h = joined.size(2),
                  w = joined.size(3);
    const int64_t part = processed.size(1);
    const at::Tensor shuffled = joined.view({n, channels / part, part, h, w})
                                    .transpose(1, 2)
                                    .contiguous()
                                    .view({n, channels, h, w});
    node = node.defined() ? node + shuffled : shuffled;
  }
  return node;
}

}  // namespace nas
