// The loops of the runtime, in Highway's vectors, picked for the processor at the first call. They
// give the bits of quant/runtime/arithmetic.h on every instruction set.
//
// Values are [height, width, channels]. Vectors run over channels, and past the last one of a
// pixel: whatever is read or written here has kSlack further elements behind its end, and rows are
// computed from the first to the last, since each spoils what is behind it.
#ifndef QUANT_RUNTIME_KERNELS_H_
#define QUANT_RUNTIME_KERNELS_H_

#include <cstdint>

#include "absl/types/span.h"
#include "quant/runtime/packed_network.h"

namespace quant::runtime {

inline constexpr int64_t kSlack = 64;
inline constexpr int64_t kChannelBlock = 16;  // Output channels are packed in so many.
inline constexpr int64_t kMostTaps = kMostKernelSide * kMostKernelSide;

// Channels of a row of weights, sums or per-channel numbers.
constexpr int64_t PaddedChannels(int64_t channels) {
  return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
}

struct ConvGeometry {
  Shape in = {}, out = {};
  Window window = {};
  int64_t groups = 1;

  int64_t taps() const { return int64_t{window.kernel_h} * window.kernel_w; }
  int64_t group_in() const { return in.channels / groups; }
  int64_t group_out() const { return out.channels / groups; }
  bool depthwise() const { return groups == in.channels && groups == out.channels; }
  // Elements between the sums of two pixels.
  int64_t sum_stride() const { return PaddedChannels(out.channels) + kChannelBlock; }
};

// Weights as the kernels want them. Of integers, channels come in pairs:
// [groups][blocks of output channels][taps][pairs of input channels][16][2], zeros where there are
// none; of floats [groups][blocks][taps][input channels][16]; depthwise ones [taps][channels].
int64_t PackedIntWeights(const ConvGeometry& conv);
int64_t PackedFloatWeights(const ConvGeometry& conv);
void PackIntWeights(const ConvGeometry& conv, const int8_t* weights, int16_t* packed);
// `weights` are floats, or integers of a convolution whose input is not quantized.
void PackFloatWeights(const ConvGeometry& conv, const float* weights, float* packed);

// The sums of output row `row`: sums[x·sum_stride() + channel]. `zeros` has in.channels zeros.
void IntConvRow(const ConvGeometry& conv, const int16_t* x, const int16_t* zeros,
                const int16_t* weights, int64_t row, int32_t* sums);
void FloatConvRow(const ConvGeometry& conv, const float* x, const float* zeros,
                  const float* weights, int64_t row, double* sums);

// What becomes of sums, per channel: Scaled, then Normalized unless `norm_scale` is null.
struct Finish {
  const double* scale;
  const float* norm_scale;
  const float* norm_shift;
};
// out[x·channels + c], for `pixels` pixels of sums, of which each has `stride`.
void FinishRow(const Finish& finish, const int32_t* sums, int64_t stride, int64_t pixels,
               int64_t channels, float* out);
void FinishRow(const Finish& finish, const double* sums, int64_t stride, int64_t pixels,
               int64_t channels, float* out);

// Levels straight from sums: low + the number of k with sign·sum > thresholds[k·padded + c], where
// padded = PaddedChannels(channels).
struct Thresholds {
  int32_t count;
  int32_t low;
  const int32_t* sign;        // 1 or −1
  const int32_t* thresholds;  // Ascending in k.
};
void ThresholdRow(const Thresholds& thresholds, const int32_t* sums, int64_t stride, int64_t pixels,
                  int64_t channels, int16_t* out);

// LevelOf, of max(x, 0) if `relu`.
void QuantizeRow(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                 int16_t* levels);
void QuantizeRow(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                 float* levels);

void ReluRow(const float* x, int64_t size, float* y);
void AddRow(const float* a, const float* b, int64_t size, float* y);

// An output row, of `channels` channels; a pixel whose window is empty is 0.
void PoolRow(Op op, const Window& window, const Shape& in, const float* x, int64_t row, float* y);

// The instruction sets compiled in that this processor has, by Highway's numbers and names; and
// making one of them the only one, which tests do (0: back to the best).
absl::Span<const int64_t> KernelTargets();
const char* KernelTargetName(int64_t target);
void UseKernelTarget(int64_t target);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_KERNELS_H_
