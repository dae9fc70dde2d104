// What a supernet's cell computes, as a list of units (unit_shape.h): the order in which the fused
// cell keeps weights, rows of gammas and normalizations.
#ifndef NAS_FUSED_CELL_PLAN_H_
#define NAS_FUSED_CELL_PLAN_H_

#include <array>
#include <cstdint>
#include <vector>

#include "nas/fused/unit_shape.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"

namespace nas::fused {

// Inputs and nodes of a cell.
inline constexpr int kCellStates = kCellInputs + kCellNodes;
// States that edges leave.
inline constexpr int kSourceStates = kCellStates - 1;

// Columns of alpha.
constexpr int AlphaColumn(Primitive primitive) {
  int column = 0;
  while (kSearchPrimitives[column] != primitive) ++column;
  return column;
}
inline constexpr int kPoolColumns[] = {AlphaColumn(Primitive::kMaxPool3x3),
                                       AlphaColumn(Primitive::kAvgPool3x3)};
inline constexpr int kSkipColumn = AlphaColumn(Primitive::kSkipConnect);

struct Unit {
  UnitShape shape;
  int input;      // Of a preprocessing, the cell's input; else the state that the edge leaves.
  int previous;   // The unit whose normalized output it reads instead of a state; else -1.
  int edge;       // -1 for a preprocessing.
  int primitive;  // Column of alpha.
  bool last;      // Its normalized output is what the primitive gives.
  int row;        // Of the cell's gammas: the inputs' preprocessing, then edge by edge.
  int64_t weights_at = 0;  // Where its weights begin among the cell's, convolution by convolution.
};

// What a primitive of an edge gives to its node.
struct PlanTerm {
  int edge, primitive;
  int state;  // That the edge leaves.
  int unit;   // Whose output it is; -1 for pools and the identity.
  int pool;   // 0 maximum, 1 average; -1 for others.
};

struct CellPlan {
  struct Options {
    int64_t input0_channels, input1_channels;
    int64_t channels, partial_channels;
    bool reduction, previous_reduction;
  };
  static constexpr int kRows = kCellInputs + kCellEdges * kNumGammaRows;

  explicit CellPlan(const Options& options);

  const Options options;
  std::vector<Unit> units;  // The preprocessings, then edge by edge in alpha's order.
  int64_t weights = 0;      // Of all units together.

  int64_t processed() const { return options.channels / options.partial_channels; }
  // Of edges that leave `state`.
  int stride(int state) const { return options.reduction && state < kCellInputs ? 2 : 1; }
  // Units of the edges into `node` that read a state, and those that read a unit.
  std::array<std::vector<int>, kCellNodes> first_units, second_units;
  // Those of the edges into a node, in alpha's order; none for the zero.
  std::array<std::vector<PlanTerm>, kCellNodes> terms;

 private:
  void Add(Unit unit);
};

}  // namespace nas::fused

#endif  // NAS_FUSED_CELL_PLAN_H_
