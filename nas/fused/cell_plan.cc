#include "nas/fused/cell_plan.h"

namespace nas::fused {

void CellPlan::Add(Unit unit) {
  unit.depthwise_at = weights;
  if (unit.kind == Unit::Kind::kSeparable) weights += unit.in * unit.kernel * unit.kernel;
  unit.pointwise_at = weights;
  weights += unit.in * unit.out;
  units.push_back(unit);
}

CellPlan::CellPlan(const Options& o) : options(o) {
  for (int input = 0; input < kCellInputs; ++input) {
    const bool reduces = input == 0 && o.previous_reduction;
    Add({.kind = reduces ? Unit::Kind::kReduce : Unit::Kind::kPointwise,
         .input = input,
         .previous = -1,
         .edge = -1,
         .primitive = -1,
         .last = false,
         .row = input,
         .in = input == 0 ? o.input0_channels : o.input1_channels,
         .out = o.channels,
         .kernel = 1,
         .dilation = 1,
         .stride = reduces ? 2 : 1});
  }
  const int64_t channels = processed();
  for (int node = 0; node < kCellNodes; ++node) {
    for (int state = 0; state < NumEdges(node); ++state) {
      const int edge = EdgeIndex(node, state);
      const auto add = [&](Unit::Kind kind, int primitive, int kernel, int dilation, int stride,
                           bool second, bool last) {
        const int previous = second ? static_cast<int>(units.size()) - 1 : -1;
        (second ? second_units : first_units)[node].push_back(units.size());
        Add({.kind = kind,
             .input = state,
             .previous = previous,
             .edge = edge,
             .primitive = primitive,
             .last = last,
             .row = kCellInputs + edge * kNumGammaRows + *GammaRow(kSearchPrimitives[primitive]),
             .in = channels,
             .out = channels,
             .kernel = kernel,
             .dilation = dilation,
             .stride = stride});
      };
      for (int i = 0; i < kNumSearchPrimitives; ++i) {
        switch (kSearchPrimitives[i]) {
          case Primitive::kSkipConnect:
            if (stride(state) == 2) add(Unit::Kind::kReduce, i, 1, 1, 2, false, true);
            break;
          case Primitive::kSepConv3x3:
          case Primitive::kSepConv5x5: {
            const int kernel = kSearchPrimitives[i] == Primitive::kSepConv3x3 ? 3 : 5;
            add(Unit::Kind::kSeparable, i, kernel, 1, stride(state), false, false);
            add(Unit::Kind::kSeparable, i, kernel, 1, 1, true, true);
            break;
          }
          case Primitive::kDilConv3x3:
            add(Unit::Kind::kSeparable, i, 3, 2, stride(state), false, true);
            break;
          case Primitive::kDilConv5x5:
            add(Unit::Kind::kSeparable, i, 5, 2, stride(state), false, true);
            break;
          default:
            break;
        }
      }
    }
  }
}

}  // namespace nas::fused
