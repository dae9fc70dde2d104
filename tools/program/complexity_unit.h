// What the published weight of the complexity means where operations are counted truly.
#ifndef TOOLS_PROGRAM_COMPLEXITY_UNIT_H_
#define TOOLS_PROGRAM_COMPLEXITY_UNIT_H_

#include <vector>

#include "quant/bit_cost.h"

namespace tools {

// The factor by which the complexity of `convs`, at equal bits, is larger as the published code
// counts it than truly: it takes a depthwise convolution for a full one. Complexity is measured in
// the first convolution in either way. A complexity decay times this factor weighs true complexity
// against the loss as the decay itself weighs the published one.
double PublishedComplexityRatio(const std::vector<quant::ConvShape>& convs);

}  // namespace tools

#endif  // TOOLS_PROGRAM_COMPLEXITY_UNIT_H_
