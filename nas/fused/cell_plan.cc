#include "nas/fused/cell_plan.h"

namespace nas::fused {

void CellPlan::Add(Unit unit) {
  unit.weights_at = weights;
  weights += unit.shape.weights();
  units.push_back(unit);
}

CellPlan::CellPlan(const Options& o) : options(o) {
  for (int input = 0; input < kCellInputs; ++input) {
    const bool reduces = input == 0 && o.previous_reduction;
    Add({.shape = {.kind = reduces ? UnitKind::kReduce : UnitKind::kPointwise,
                   .in = input == 0 ? o.input0_channels : o.input1_channels,
                   .out = o.channels,
                   .kernel = 1,
                   .dilation = 1,
                   .stride = reduces ? 2 : 1},
         .input = input,
         .previous = -1,
         .edge = -1,
         .primitive = -1,
         .last = false,
         .row = input});
  }
  const int64_t channels = processed();
  for (int node = 0; node < kCellNodes; ++node) {
    for (int state = 0; state < NumEdges(node); ++state) {
      const int edge = EdgeIndex(node, state);
      const auto add = [&](UnitKind kind, int primitive, int kernel, int dilation, int stride,
                           bool second, bool last) {
        const int previous = second ? static_cast<int>(units.size()) - 1 : -1;
        (second ? second_units : first_units)[node].push_back(units.size());
        Add({.shape = {.kind = kind,
                       .in = channels,
                       .out = channels,
                       .kernel = kernel,
                       .dilation = dilation,
                       .stride = stride},
             .input = state,
             .previous = previous,
             .edge = edge,
             .primitive = primitive,
             .last = last,
             .row = kCellInputs + edge * kNumGammaRows + *GammaRow(kSearchPrimitives[primitive])});
      };
      for (int i = 0; i < kNumSearchPrimitives; ++i) {
        PlanTerm term{edge, i, state, /*unit=*/-1, /*pool=*/-1};
        switch (kSearchPrimitives[i]) {
          case Primitive::kNone:
            continue;
          case Primitive::kMaxPool3x3:
            term.pool = 0;
            break;
          case Primitive::kAvgPool3x3:
            term.pool = 1;
            break;
          case Primitive::kSkipConnect:
            if (stride(state) == 2) add(UnitKind::kReduce, i, 1, 1, 2, false, true);
            break;
          case Primitive::kSepConv3x3:
          case Primitive::kSepConv5x5: {
            const int kernel = kSearchPrimitives[i] == Primitive::kSepConv3x3 ? 3 : 5;
            add(UnitKind::kSeparable, i, kernel, 1, stride(state), false, false);
            add(UnitKind::kSeparable, i, kernel, 1, 1, true, true);
            break;
          }
          case Primitive::kDilConv3x3:
            add(UnitKind::kSeparable, i, 3, 2, stride(state), false, true);
            break;
          case Primitive::kDilConv5x5:
            add(UnitKind::kSeparable, i, 5, 2, stride(state), false, true);
            break;
          default:
            break;
        }
        if (units.back().edge == edge && units.back().primitive == i) {
          term.unit = static_cast<int>(units.size()) - 1;
        }
        terms[node].push_back(term);
      }
    }
  }
}

}  // namespace nas::fused
