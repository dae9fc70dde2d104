// The network of a genotype as a graph, like those whose structure is given.
#ifndef NAS_DEPLOYMENT_CELL_GRAPH_H_
#define NAS_DEPLOYMENT_CELL_GRAPH_H_

#include "absl/status/statusor.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/networks/network_graph.h"

namespace nas {

// What `network` computes in evaluation; paths are those of its modules. `layout` is that of its
// architecture, which has a genotype. InvalidArgument naming a node of a cell that is always zero.
absl::StatusOr<NetworkGraph> CellNetworkGraph(const DerivedNetwork& network,
                                              const DerivedLayout& layout);

}  // namespace nas

#endif  // NAS_DEPLOYMENT_CELL_GRAPH_H_
