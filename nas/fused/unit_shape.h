// What a unit is: a depthwise convolution or none, and a pointwise one, with the ReLU before them
// and the batch normalization behind them.
#ifndef NAS_FUSED_UNIT_SHAPE_H_
#define NAS_FUSED_UNIT_SHAPE_H_

#include <cstdint>

namespace nas::fused {

enum class UnitKind {
  kSeparable,  // ReLU, depthwise, pointwise.
  kPointwise,  // ReLU, pointwise.
  kReduce,     // ReLU, pointwise at even pixels to half the outputs, at odd ones to the other half.
};

struct UnitShape {
  UnitKind kind;
  int64_t in, out;  // Channels.
  int kernel, dilation, stride;

  // Of the first convolution: the depthwise one, the pointwise one, or that of even pixels.
  constexpr int64_t first_weights() const {
    if (kind == UnitKind::kSeparable) return in * kernel * kernel;
    return kind == UnitKind::kReduce ? out / 2 * in : out * in;
  }
  constexpr int64_t second_weights() const {
    if (kind == UnitKind::kPointwise) return 0;
    return kind == UnitKind::kReduce ? (out - out / 2) * in : out * in;
  }
  constexpr int num_convs() const { return kind == UnitKind::kPointwise ? 1 : 2; }
  constexpr int64_t weights() const { return first_weights() + second_weights(); }
};

}  // namespace nas::fused

#endif  // NAS_FUSED_UNIT_SHAPE_H_
