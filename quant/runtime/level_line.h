// Levels straight from the sums of a convolution, exactly, by one multiplication and addition.
//
// The level of what arithmetic.h makes of a sum rises, or falls, with the sum, in steps; so does
// round(clamp(float32(sum)·slope + intercept)). Both are the same for every sum if they are so on
// both sides of each step, for which the slope is that of the arithmetic and the intercept is
// chosen in the middle of what all steps allow.
#ifndef QUANT_RUNTIME_LEVEL_LINE_H_
#define QUANT_RUNTIME_LEVEL_LINE_H_

#include <cstdint>
#include <optional>

#include "quant/runtime/packed_network.h"

namespace quant::runtime {

// How a channel's sums become levels: Scaled, Normalized, max(·, 0) if `relu`, LevelOf.
struct ChannelLevels {
  double scale = 1;
  bool normalized = false;
  float norm_scale = 1, norm_shift = 0;
  bool relu = false;
  ActivationLattice lattice = {};
  int64_t most = 0;  // |sum| is at most this.
};

struct Line {
  float slope = 0, intercept = 0;
};
// Of the level less the lowest one, clamped to ClampOfLine. None if there is no such line.
std::optional<Line> FindLevelLine(const ChannelLevels& channel);

struct LineClamp {
  float low, high;
};
LineClamp ClampOfLine(const ActivationLattice& lattice, bool relu);

// That of the step, if the level of any x between the lowest and the highest level is round(p + r)
// for p = x · reciprocal and r = (x − p · step) · reciprocal, each addition fused; else 0. Both
// differ from the quotient by a few units in the last place, so it is tried where such a difference
// would count: around the middle between two levels.
float FindReciprocal(const ActivationLattice& lattice);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_LEVEL_LINE_H_
