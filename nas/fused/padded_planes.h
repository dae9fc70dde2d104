// Planes with zeros around them, and the scratch's slots, which the kernels share.
#ifndef NAS_FUSED_PADDED_PLANES_H_
#define NAS_FUSED_PADDED_PLANES_H_

#include <algorithm>
#include <cstdint>

#include "nas/fused/fused_kernels.h"

namespace nas::fused {

constexpr int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Rows of `width` values, `pitch` apart.
struct Rows {
  int64_t count, width, pitch;

  // Where value i lies, counted without what is between the rows.
  int64_t At(int64_t i) const { return i / width * pitch + i % width; }
  // The first `values` of them: whole rows, or a part of one.
  Rows First(int64_t values) const {
    return {std::max<int64_t>(values / width, 1), std::min(values, width), pitch};
  }

  // A plane of so many values back to back.
  static Rows Whole(int64_t size) { return {1, size, size}; }
};

// A plane with zeros around it; behind each row as many as fill the last vector. What lies right of
// a row is what lies left of the next. At stride 2 every one of the input's four phases has such a
// plane, of the output's size.
struct PaddedPlanes {
  int64_t height, width;  // Of the output.
  int64_t halo, pitch, plane, origin;

  PaddedPlanes(const DepthwiseShape& shape, int lanes)
      : height(shape.out_height()), width(shape.out_width()) {
    const int64_t pad = shape.dilation * (shape.kernel - 1) / 2;
    halo = shape.stride == 1 ? pad : (pad + 1) / 2;
    // As ForLanes chooses them.
    pitch = RoundUp(width, width <= lanes / 2 ? lanes / 2 : lanes) + halo;
    origin = halo * pitch + halo;
    plane = RoundUp((height + 2 * halo) * pitch + halo, lanes);
  }
  Rows rows() const { return {height, width, pitch}; }
};

// What slot of the scratch serves for what.
enum Slot {
  kPaddedPlane,  // Of one channel.
  kPadded,       // Of all.
  kPaddedGradient,
  kDepthwise,
  kPooled,
  kPooledGradient,
  kPooledFrom,
  kSplit,
  kPlane,
  kReciprocals,
  kQuantized,
  kInputGradient,
  kOutputGradient,
  kOutputSums,
  kTransposed,
  kTransposedPlanes,
  kNumSlots,
};
static_assert(kNumSlots <= Scratch<float>::kSlots);

}  // namespace nas::fused

#endif  // NAS_FUSED_PADDED_PLANES_H_
