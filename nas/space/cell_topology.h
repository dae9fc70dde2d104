// The shape of every cell and of the chain of cells, alike in supernets and derived networks
// (DARTS).
//
// A cell has two inputs and four intermediate nodes; its output is their concatenation. Node i
// (from 0) has an edge from each of its i + 2 predecessors (0 and 1 are the inputs); edges are
// numbered node by node, predecessor by predecessor: 2 + 3 + 4 + 5 = 14.
#ifndef NAS_SPACE_CELL_TOPOLOGY_H_
#define NAS_SPACE_CELL_TOPOLOGY_H_

namespace nas {

inline constexpr int kCellInputs = 2;
inline constexpr int kCellNodes = 4;
inline constexpr int kCellEdges = 14;

// Number of edges into `node`.
constexpr int NumEdges(int node) { return node + kCellInputs; }

// The number of the edge from `predecessor` into `node`.
constexpr int EdgeIndex(int node, int predecessor) {
  return node * (node + 3) / 2 + predecessor;  // 0, 2, 5, 9 edges come before node 0, 1, 2, 3.
}
static_assert(EdgeIndex(kCellNodes, 0) == kCellEdges);

// Whether cell `cell` of a network of `layers` cells halves the resolution and doubles the
// channels.
constexpr bool IsReductionCell(int cell, int layers) {
  return cell == layers / 3 || cell == 2 * layers / 3;
}

}  // namespace nas

#endif  // NAS_SPACE_CELL_TOPOLOGY_H_
