#include "quant/runtime/kernels.h"

#include <cstddef>
#include <cstring>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/runtime/kernels.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace quant::runtime {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// At most a block, whatever the width.
using Int32s = hn::CappedTag<int32_t, kChannelBlock>;
using Int16s = hn::Rebind<int16_t, Int32s>;  // As many as Int32s.
using Doubles = hn::CappedTag<double, kChannelBlock>;
using HalfFloats = hn::Rebind<float, Doubles>;  // As many as Doubles.
using HalfInt32s = hn::Rebind<int32_t, Doubles>;
using Floats = hn::Rebind<float, Int32s>;

// Two int16 in each int32.
using Pairs = hn::Vec<Int32s>;

HWY_INLINE Pairs LoadPairs(const int16_t* from) {
#if HWY_TARGET == HWY_SCALAR
  int32_t both;
  std::memcpy(&both, from, sizeof(both));
  return hn::Set(Int32s(), both);
#else
  return hn::BitCast(Int32s(), hn::LoadU(hn::Repartition<int16_t, Int32s>(), from));
#endif
}

// The same pair in each.
HWY_INLINE Pairs SetPair(const int16_t* from) {
  int32_t both;
  std::memcpy(&both, from, sizeof(both));
  return hn::Set(Int32s(), both);
}

// sum + the products of the first and of the second numbers.
HWY_INLINE hn::Vec<Int32s> MulAddPairs(Pairs a, Pairs b, hn::Vec<Int32s> sum) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  const Int32s d;
  const hn::Repartition<int16_t, Int32s> d16;
  auto unused = hn::Zero(d);
  // vpmaddwd, which keeps the order.
  return hn::ReorderWidenMulAccumulate(d, hn::BitCast(d16, a), hn::BitCast(d16, b), sum, unused);
#else
  const auto second = hn::Mul(hn::ShiftRight<16>(a), hn::ShiftRight<16>(b));
  const auto first =
      hn::Mul(hn::ShiftRight<16>(hn::ShiftLeft<16>(a)), hn::ShiftRight<16>(hn::ShiftLeft<16>(b)));
  return hn::Add(sum, hn::Add(first, second));
#endif
}

// Where the taps of an output pixel are, or `zeros`.
template <typename T>
HWY_INLINE void FindTaps(const ConvGeometry& conv, const T* x, const T* zeros, int64_t row,
                         int64_t column, const T** taps) {
  const Window& w = conv.window;
  for (int64_t i = 0; i < w.kernel_h; ++i) {
    const int64_t y = row * w.stride_h - w.pad_top + i * w.dilation_h;
    for (int64_t j = 0; j < w.kernel_w; ++j) {
      const int64_t z = column * w.stride_w - w.pad_left + j * w.dilation_w;
      const bool inside = 0 <= y && y < conv.in.height && 0 <= z && z < conv.in.width;
      *taps++ = inside ? x + (y * conv.in.width + z) * conv.in.channels : zeros;
    }
  }
}

constexpr int64_t kTile = 4;  // Pixels computed side by side.

// `taps` of kTile pixels, kMostTaps apart; sums likewise, `stride` apart.
template <int64_t kPixels>
HWY_INLINE void DenseIntTile(const ConvGeometry& conv, const int16_t* const* taps, int64_t group,
                             const int16_t* weights, int32_t* sums) {
  const Int32s d32;
  const int64_t pairs = (conv.group_in() + 1) / 2, taps_count = conv.taps();
  const int64_t block_size = taps_count * pairs * kChannelBlock * 2;
  const int64_t first = group * conv.group_in();
  for (int64_t o = 0; o < conv.group_out(); o += hn::Lanes(d32)) {
    const int16_t* w = weights + o / kChannelBlock * block_size + o % kChannelBlock * 2;
    auto s0 = hn::Zero(d32), s1 = s0, s2 = s0, s3 = s0;
    const auto at = [&](int64_t pixel, int64_t tap, int64_t pair) HWY_ATTR {
      return SetPair(taps[pixel * kMostTaps + tap] + first + 2 * pair);
    };
    for (int64_t tap = 0; tap < taps_count; ++tap) {
      for (int64_t pair = 0; pair < pairs; ++pair, w += kChannelBlock * 2) {
        const auto v = LoadPairs(w);
        s0 = MulAddPairs(at(0, tap, pair), v, s0);
        if constexpr (kPixels == 1) continue;
        s1 = MulAddPairs(at(1, tap, pair), v, s1);
        s2 = MulAddPairs(at(2, tap, pair), v, s2);
        s3 = MulAddPairs(at(3, tap, pair), v, s3);
      }
    }
    int32_t* out = sums + group * conv.group_out() + o;
    hn::StoreU(s0, d32, out);
    if constexpr (kPixels == 1) continue;
    hn::StoreU(s1, d32, out + conv.sum_stride());
    hn::StoreU(s2, d32, out + 2 * conv.sum_stride());
    hn::StoreU(s3, d32, out + 3 * conv.sum_stride());
  }
}

HWY_INLINE void DepthwiseInt(const ConvGeometry& conv, const int16_t* const* taps,
                             const int16_t* weights, int32_t* sums) {
  const Int32s d32;
  const Int16s d16;
  const int64_t taps_count = conv.taps(), stride = PaddedChannels(conv.out.channels);
  for (int64_t c = 0; c < conv.out.channels; c += hn::Lanes(d32)) {
    auto sum = hn::Zero(d32);
    for (int64_t tap = 0; tap < taps_count; ++tap) {
      const auto x = hn::PromoteTo(d32, hn::LoadU(d16, taps[tap] + c));
      const auto w = hn::PromoteTo(d32, hn::LoadU(d16, weights + tap * stride + c));
      sum = hn::Add(sum, hn::Mul(x, w));
    }
    hn::StoreU(sum, d32, sums + c);
  }
}

void IntConvRowOf(const ConvGeometry& conv, const int16_t* x, const int16_t* zeros,
                  const int16_t* weights, int64_t row, int32_t* sums) {
  const int16_t* taps[kTile * kMostTaps];
  const int64_t stride = conv.sum_stride();
  const int64_t group_weights = PackedIntWeights(conv) / conv.groups;
  for (int64_t column = 0; column < conv.out.width;) {
    const int64_t tile = conv.out.width - column >= kTile && !conv.depthwise() ? kTile : 1;
    for (int64_t p = 0; p < tile; ++p)
      FindTaps(conv, x, zeros, row, column + p, taps + p * kMostTaps);
    int32_t* out = sums + column * stride;
    column += tile;
    if (conv.depthwise()) {
      DepthwiseInt(conv, taps, weights, out);
      continue;
    }
    for (int64_t group = 0; group < conv.groups; ++group) {
      const int16_t* w = weights + group * group_weights;
      if (tile == kTile) {
        DenseIntTile<kTile>(conv, taps, group, w, out);
      } else {
        DenseIntTile<1>(conv, taps, group, w, out);
      }
    }
  }
}

HWY_INLINE hn::Vec<Doubles> LoadDoubles(const float* from) {
  return hn::PromoteTo(Doubles(), hn::LoadU(HalfFloats(), from));
}

HWY_INLINE void DenseFloat(const ConvGeometry& conv, const float* const* taps, int64_t group,
                           const float* weights, double* sums) {
  const Doubles d;
  const int64_t inputs = conv.group_in(), taps_count = conv.taps();
  const int64_t block_size = taps_count * inputs * kChannelBlock;
  for (int64_t o = 0; o < conv.group_out(); o += hn::Lanes(d)) {
    const float* w = weights + o / kChannelBlock * block_size + o % kChannelBlock;
    auto sum = hn::Zero(d);
    for (int64_t tap = 0; tap < taps_count; ++tap) {
      const float* x = taps[tap] + group * inputs;
      for (int64_t i = 0; i < inputs; ++i, w += kChannelBlock)
        sum = hn::Add(sum, hn::Mul(hn::Set(d, static_cast<double>(x[i])), LoadDoubles(w)));
    }
    hn::StoreU(sum, d, sums + group * conv.group_out() + o);
  }
}

HWY_INLINE void DepthwiseFloat(const ConvGeometry& conv, const float* const* taps,
                               const float* weights, double* sums) {
  const Doubles d;
  const int64_t taps_count = conv.taps(), stride = PaddedChannels(conv.out.channels);
  for (int64_t c = 0; c < conv.out.channels; c += hn::Lanes(d)) {
    auto sum = hn::Zero(d);
    for (int64_t tap = 0; tap < taps_count; ++tap)
      sum = hn::Add(sum,
                    hn::Mul(LoadDoubles(taps[tap] + c), LoadDoubles(weights + tap * stride + c)));
    hn::StoreU(sum, d, sums + c);
  }
}

void FloatConvRowOf(const ConvGeometry& conv, const float* x, const float* zeros,
                    const float* weights, int64_t row, double* sums) {
  const float* taps[kMostTaps];
  const int64_t group_weights = PackedFloatWeights(conv) / conv.groups;
  for (int64_t column = 0; column < conv.out.width; ++column) {
    FindTaps(conv, x, zeros, row, column, taps);
    double* out = sums + column * conv.sum_stride();
    if (conv.depthwise()) {
      DepthwiseFloat(conv, taps, weights, out);
      continue;
    }
    for (int64_t group = 0; group < conv.groups; ++group)
      DenseFloat(conv, taps, group, weights + group * group_weights, out);
  }
}

HWY_INLINE hn::Vec<Doubles> LoadSums(const int32_t* from) {
  return hn::PromoteTo(Doubles(), hn::LoadU(HalfInt32s(), from));
}
HWY_INLINE hn::Vec<Doubles> LoadSums(const double* from) { return hn::LoadU(Doubles(), from); }

template <typename T>
HWY_INLINE void FinishPixels(const Finish& finish, const T* sums, int64_t stride, int64_t pixels,
                             int64_t channels, float* out) {
  const Doubles d;
  const HalfFloats df;
  for (int64_t p = 0; p < pixels; ++p, sums += stride, out += channels) {
    for (int64_t c = 0; c < channels; c += hn::Lanes(d)) {
      auto t = hn::DemoteTo(df, hn::Mul(LoadSums(sums + c), hn::LoadU(d, finish.scale + c)));
      if (finish.norm_scale != nullptr) {
        const auto scaled = hn::Mul(hn::PromoteTo(d, t), LoadDoubles(finish.norm_scale + c));
        t = hn::DemoteTo(df, hn::Add(scaled, LoadDoubles(finish.norm_shift + c)));
      }
      hn::StoreU(t, df, out + c);
    }
  }
}

void FinishIntRow(const Finish& finish, const int32_t* sums, int64_t stride, int64_t pixels,
                  int64_t channels, float* out) {
  FinishPixels(finish, sums, stride, pixels, channels, out);
}
void FinishFloatRow(const Finish& finish, const double* sums, int64_t stride, int64_t pixels,
                    int64_t channels, float* out) {
  FinishPixels(finish, sums, stride, pixels, channels, out);
}

void ThresholdRowOf(const Thresholds& thresholds, const int32_t* sums, int64_t stride,
                    int64_t pixels, int64_t channels, int16_t* out) {
  const Int32s d;
  const Int16s d16;
  const int64_t padded = PaddedChannels(channels);
  for (int64_t p = 0; p < pixels; ++p, sums += stride, out += channels) {
    for (int64_t c = 0; c < channels; c += hn::Lanes(d)) {
      const auto sum = hn::Mul(hn::LoadU(d, sums + c), hn::LoadU(d, thresholds.sign + c));
      auto level = hn::Set(d, thresholds.low);
      for (int32_t k = 0; k < thresholds.count; ++k) {
        const auto threshold = hn::LoadU(d, thresholds.thresholds + k * padded + c);
        level = hn::Sub(level, hn::VecFromMask(d, hn::Gt(sum, threshold)));
      }
      hn::StoreU(hn::DemoteTo(d16, level), d16, out + c);
    }
  }
}

HWY_INLINE hn::Vec<Floats> Levels(const ActivationLattice& lattice, bool relu, const float* x) {
  const Floats d;
  auto v = hn::LoadU(d, x);
  if (relu) v = hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Zero(d));
  v = hn::Div(v, hn::Set(d, lattice.step));
  const auto low = hn::Set(d, static_cast<float>(lattice.low));
  const auto high = hn::Set(d, static_cast<float>(lattice.high));
  v = hn::IfThenElse(hn::Ge(v, low), v, low);
  v = hn::IfThenElse(hn::Le(v, high), v, high);
  const auto shift = hn::Set(d, 12582912.0f);  // kRoundingShift
  return hn::Sub(hn::Add(v, shift), shift);
}

void QuantizeToInts(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                    int16_t* levels) {
  const Int32s d;
  const Int16s d16;
  for (int64_t i = 0; i < size; i += hn::Lanes(d))
    hn::StoreU(hn::DemoteTo(d16, hn::ConvertTo(d, Levels(lattice, relu, x + i))), d16, levels + i);
}

void QuantizeToFloats(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                      float* levels) {
  const Floats d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d))
    hn::StoreU(Levels(lattice, relu, x + i), d, levels + i);
}

void ReluRowOf(const float* x, int64_t size, float* y) {
  const Floats d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d)) {
    const auto v = hn::LoadU(d, x + i);
    hn::StoreU(hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Zero(d)), d, y + i);
  }
}

void AddRowOf(const float* a, const float* b, int64_t size, float* y) {
  const Floats d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d))
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
}

HWY_INLINE void PoolPixel(Op op, const float* const* inside, int64_t count, int64_t channels,
                          float* y) {
  const Floats d;
  const auto divisor = hn::Set(d, static_cast<float>(count));
  for (int64_t c = 0; c < channels; c += hn::Lanes(d)) {
    auto v = hn::Zero(d);
    for (int64_t t = 0; t < count; ++t) {
      const auto x = hn::LoadU(d, inside[t] + c);
      if (op == Op::kAvgPool) {
        v = hn::Add(v, x);
      } else {
        v = t == 0 ? x : hn::IfThenElse(hn::Gt(x, v), x, v);
      }
    }
    if (op == Op::kAvgPool && count > 0) v = hn::Div(v, divisor);
    hn::StoreU(v, d, y + c);
  }
}

void PoolRowOf(Op op, const Window& window, const Shape& in, const float* x, int64_t row,
               float* y) {
  const ConvGeometry conv = {.in = in, .window = window};
  const float* taps[kMostTaps];
  for (int64_t column = 0; column < window.out_w; ++column, y += in.channels) {
    FindTaps<float>(conv, x, nullptr, row, column, taps);
    int64_t count = 0;
    for (int64_t t = 0; t < conv.taps(); ++t)
      if (taps[t] != nullptr) taps[count++] = taps[t];
    PoolPixel(op, taps, count, in.channels, y);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace quant::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quant::runtime {

HWY_EXPORT(IntConvRowOf);
HWY_EXPORT(FloatConvRowOf);
HWY_EXPORT(FinishIntRow);
HWY_EXPORT(FinishFloatRow);
HWY_EXPORT(ThresholdRowOf);
HWY_EXPORT(QuantizeToInts);
HWY_EXPORT(QuantizeToFloats);
HWY_EXPORT(ReluRowOf);
HWY_EXPORT(AddRowOf);
HWY_EXPORT(PoolRowOf);

int64_t PackedIntWeights(const ConvGeometry& conv) {
  if (conv.depthwise()) return conv.taps() * PaddedChannels(conv.out.channels);
  return conv.groups * PaddedChannels(conv.group_out()) * conv.taps() *
         ((conv.group_in() + 1) / 2) * 2;
}

int64_t PackedFloatWeights(const ConvGeometry& conv) {
  if (conv.depthwise()) return conv.taps() * PaddedChannels(conv.out.channels);
  return conv.groups * PaddedChannels(conv.group_out()) * conv.taps() * conv.group_in();
}

// Input channels come `in_step` at a time.
template <typename From, typename To>
void PackWeightsInto(const ConvGeometry& conv, const From* weights, int64_t in_step, To* packed) {
  const int64_t taps = conv.taps(), inputs = conv.group_in(), outputs = conv.group_out();
  if (conv.depthwise()) {
    for (int64_t c = 0; c < conv.out.channels; ++c)
      for (int64_t t = 0; t < taps; ++t)
        packed[t * PaddedChannels(conv.out.channels) + c] = weights[c * taps + t];
    return;
  }
  const int64_t steps = (inputs + in_step - 1) / in_step;
  const int64_t step_size = kChannelBlock * in_step;
  const int64_t group_size = PaddedChannels(outputs) * taps * steps * in_step;
  for (int64_t o = 0; o < conv.out.channels; ++o) {
    const int64_t group = o / outputs, within = o % outputs;
    To* const block =
        packed + group * group_size + within / kChannelBlock * taps * steps * step_size;
    for (int64_t i = 0; i < inputs; ++i)
      for (int64_t t = 0; t < taps; ++t)
        block[(t * steps + i / in_step) * step_size + within % kChannelBlock * in_step +
              i % in_step] = weights[(o * inputs + i) * taps + t];
  }
}

void PackIntWeights(const ConvGeometry& conv, const int8_t* weights, int16_t* packed) {
  PackWeightsInto(conv, weights, /*in_step=*/2, packed);
}
void PackFloatWeights(const ConvGeometry& conv, const float* weights, float* packed) {
  PackWeightsInto(conv, weights, /*in_step=*/1, packed);
}

void IntConvRow(const ConvGeometry& conv, const int16_t* x, const int16_t* zeros,
                const int16_t* weights, int64_t row, int32_t* sums) {
  HWY_DYNAMIC_DISPATCH(IntConvRowOf)(conv, x, zeros, weights, row, sums);
}
void FloatConvRow(const ConvGeometry& conv, const float* x, const float* zeros,
                  const float* weights, int64_t row, double* sums) {
  HWY_DYNAMIC_DISPATCH(FloatConvRowOf)(conv, x, zeros, weights, row, sums);
}
void FinishRow(const Finish& finish, const int32_t* sums, int64_t stride, int64_t pixels,
               int64_t channels, float* out) {
  HWY_DYNAMIC_DISPATCH(FinishIntRow)(finish, sums, stride, pixels, channels, out);
}
void FinishRow(const Finish& finish, const double* sums, int64_t stride, int64_t pixels,
               int64_t channels, float* out) {
  HWY_DYNAMIC_DISPATCH(FinishFloatRow)(finish, sums, stride, pixels, channels, out);
}
void ThresholdRow(const Thresholds& thresholds, const int32_t* sums, int64_t stride, int64_t pixels,
                  int64_t channels, int16_t* out) {
  HWY_DYNAMIC_DISPATCH(ThresholdRowOf)(thresholds, sums, stride, pixels, channels, out);
}
void QuantizeRow(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                 int16_t* levels) {
  HWY_DYNAMIC_DISPATCH(QuantizeToInts)(lattice, relu, x, size, levels);
}
void QuantizeRow(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                 float* levels) {
  HWY_DYNAMIC_DISPATCH(QuantizeToFloats)(lattice, relu, x, size, levels);
}
void ReluRow(const float* x, int64_t size, float* y) {
  HWY_DYNAMIC_DISPATCH(ReluRowOf)(x, size, y);
}
void AddRow(const float* a, const float* b, int64_t size, float* y) {
  HWY_DYNAMIC_DISPATCH(AddRowOf)(a, b, size, y);
}
void PoolRow(Op op, const Window& window, const Shape& in, const float* x, int64_t row, float* y) {
  HWY_DYNAMIC_DISPATCH(PoolRowOf)(op, window, in, x, row, y);
}

absl::Span<const int64_t> KernelTargets() {
  static const auto* targets = new std::vector<int64_t>(hwy::SupportedAndGeneratedTargets());
  return *targets;
}
const char* KernelTargetName(int64_t target) { return hwy::TargetName(target); }
void UseKernelTarget(int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace quant::runtime
#endif  // HWY_ONCE
