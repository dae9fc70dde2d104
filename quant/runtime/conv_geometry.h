// What the kernels of a convolution know of its shape, and how they see a row.
//
// Values are [height, width, channels]. Vectors run over the channels, and over pixel boundaries
// where numbers of every channel are repeated often enough to be whole vectors: kernels write up to
// kSlack elements past the end of a row, so rows are computed from the first to the last.
#ifndef QUANT_RUNTIME_CONV_GEOMETRY_H_
#define QUANT_RUNTIME_CONV_GEOMETRY_H_

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "quant/runtime/packed_network.h"

namespace quant::runtime {

inline constexpr int64_t kSlack = 64;  // Elements behind the end of all that is read or written.
inline constexpr int64_t kChannelBlock = 16;  // Output channels are packed in so many.
inline constexpr int64_t kMostTaps = kMostKernelSide * kMostKernelSide;

constexpr int64_t PaddedChannels(int64_t channels) {
  return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
}

// After so many elements of a row the same channel comes at the beginning of a vector again: one
// pixel's, where that is not soon. Arrays of per-channel numbers have them over and over, to
// PaddedChannels(RowUnit(channels)).
constexpr int64_t RowUnit(int64_t channels) {
  const int64_t common = std::lcm(channels, kChannelBlock);
  return common <= 4096 ? common : channels;
}

struct ConvGeometry {
  Shape in = {}, out = {};
  Window window = {};
  int64_t groups = 1;

  int64_t taps() const { return int64_t{window.kernel_h} * window.kernel_w; }
  int64_t group_in() const { return in.channels / groups; }
  int64_t group_out() const { return out.channels / groups; }
  bool depthwise() const { return groups == in.channels && groups == out.channels; }
  // Columns from the first tap of the first pixel of a row to the last of its last.
  int64_t span() const {
    return int64_t{window.out_w - 1} * window.stride_w +
           int64_t{window.kernel_w - 1} * window.dilation_w + 1;
  }
  // Whether some of them are outside of the image.
  bool padded() const { return window.pad_left > 0 || span() - window.pad_left > in.width; }
  // The row of the image that row `i` of the window meets in output row `row`; −1 if none.
  int64_t RowOfImage(int64_t row, int64_t i) const {
    const int64_t y = row * window.stride_h - window.pad_top + i * window.dilation_h;
    return y < in.height ? std::max<int64_t>(y, -1) : -1;
  }
  // 1x1 convolutions of every pixel: a row depends on the same row alone.
  bool pointwise() const {
    const Window& w = window;
    return taps() == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad_top == 0 && w.pad_left == 0 &&
           in.height == out.height && in.width == out.width;
  }
};

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_CONV_GEOMETRY_H_
