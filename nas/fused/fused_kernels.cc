#include "nas/fused/fused_kernels.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nas/fused/fused_kernels.cc"
// Those between the baseline, on which KernelsAvailable() is false, and AVX2 would never run.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef NAS_FUSED_FUSED_KERNELS_TABLE_
#define NAS_FUSED_FUSED_KERNELS_TABLE_
namespace nas::fused {
namespace {

// The kernels of one instruction set.
template <typename T>
struct Kernels {
  decltype(&DepthwiseForward<T>) depthwise_forward;
  decltype(&JoinRanges<T>) join_ranges;
  decltype(&PointwiseForward<T>) pointwise_forward;
  decltype(&PointwiseBackward<T>) pointwise_backward;
  decltype(&SeparableBackward<T>) separable_backward;
  decltype(&PoolForward<T>) pool_forward;
  decltype(&PoolBackward<T>) pool_backward;
  decltype(&Combine<T>) combine;
  decltype(&AddScaled<T>) add_scaled;
  decltype(&AddLanes<T>) add_lanes;
  decltype(&Sum<T>) sum;
  decltype(&Dot<T>) dot;
};

constexpr int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// floor(a / b), b > 0.
constexpr int64_t FloorDivide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

// A plane with zeros around it, read along its memory as if it had no rows: what lies right of a row
// is what lies left of the next. At stride 2 every one of the input's four phases has such a plane,
// of the output's size.
struct PaddedPlanes {
  int64_t height, width;  // Of the output.
  int64_t halo, pitch, plane, origin;

  template <typename Shape>
  PaddedPlanes(const Shape& shape, int lanes)
      : height(shape.out_height()), width(shape.out_width()) {
    const int64_t pad = shape.dilation * (shape.kernel - 1) / 2;
    halo = shape.stride == 1 ? pad : (pad + 1) / 2;
    pitch = width + halo;
    origin = halo * pitch + halo;
    plane = RoundUp((height + 2 * halo) * pitch + 2 * halo + 2 * lanes, lanes);
  }
  int64_t flat_size() const { return height * pitch; }
};

// What slot of the scratch serves for what.
enum Slot {
  kPaddedPlane,  // Of one channel.
  kPadded,       // Of all.
  kPaddedGradient,
  kDepthwise,
  kDepthwiseGradient,
  kPooled,
  kPooledGradient,
  kFlat,
  kPlane,
  kReciprocals,
  kQuantized,
  kInputGradient,
  kOutputGradient,
  kTransposed,
};

}  // namespace
}  // namespace nas::fused
#endif  // NAS_FUSED_FUSED_KERNELS_TABLE_

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 64 bytes of lanes, in as many registers as the machine needs for them.
template <typename T>
struct Wide {
  using D = hn::CappedTag<T, kLanes<T>>;
  using V = hn::Vec<D>;
  static constexpr int kPartLanes = static_cast<int>(hn::MaxLanes(D()));
  static constexpr int kParts = kLanes<T> / kPartLanes;
  V part[kParts];
};

#define WIDE_EACH(i) for (int i = 0; i < Wide<T>::kParts; ++i)

template <typename T>
HWY_INLINE Wide<T> Broadcast(T value) {
  Wide<T> r;
  WIDE_EACH(i) r.part[i] = hn::Set(typename Wide<T>::D(), value);
  return r;
}
template <typename T>
HWY_INLINE Wide<T> Load(const T* p) {
  Wide<T> r;
  WIDE_EACH(i) r.part[i] = hn::LoadU(typename Wide<T>::D(), p + i * Wide<T>::kPartLanes);
  return r;
}
template <typename T>
HWY_INLINE void Store(const Wide<T>& v, T* p) {
  WIDE_EACH(i) hn::StoreU(v.part[i], typename Wide<T>::D(), p + i * Wide<T>::kPartLanes);
}
// The first n lanes, or all; the others are zero.
template <typename T>
HWY_INLINE Wide<T> LoadFirst(const T* p, int64_t n) {
  if (HWY_LIKELY(n >= kLanes<T>)) return Load(p);
  T lanes[kLanes<T>] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
  return Load<T>(lanes);
}
template <typename T>
HWY_INLINE void StoreFirst(const Wide<T>& v, T* p, int64_t n) {
  if (HWY_LIKELY(n >= kLanes<T>)) return Store(v, p);
  T lanes[kLanes<T>];
  Store<T>(v, lanes);
  for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
}

#define WIDE_BINARY(Name)                                               \
  template <typename T>                                                 \
  HWY_INLINE Wide<T> Name(const Wide<T>& a, const Wide<T>& b) {         \
    Wide<T> r;                                                          \
    WIDE_EACH(i) r.part[i] = hn::Name(a.part[i], b.part[i]);            \
    return r;                                                           \
  }
WIDE_BINARY(Add)
WIDE_BINARY(Sub)
WIDE_BINARY(Mul)
// Of a NaN and a number, b, on x86.
WIDE_BINARY(Min)
WIDE_BINARY(Max)
#undef WIDE_BINARY

template <typename T>
HWY_INLINE Wide<T> MulAdd(const Wide<T>& a, const Wide<T>& b, const Wide<T>& c) {
  Wide<T> r;
  WIDE_EACH(i) r.part[i] = hn::MulAdd(a.part[i], b.part[i], c.part[i]);
  return r;
}
template <typename T>
HWY_INLINE Wide<T> Round(const Wide<T>& a) {
  Wide<T> r;
  WIDE_EACH(i) r.part[i] = hn::Round(a.part[i]);
  return r;
}
// value where low <= x <= high, else 0.
template <typename T>
HWY_INLINE Wide<T> Within(const Wide<T>& x, const Wide<T>& low, const Wide<T>& high,
                          const Wide<T>& value) {
  Wide<T> r;
  WIDE_EACH(i) {
    const auto inside =
        hn::And(hn::Ge(x.part[i], low.part[i]), hn::Le(x.part[i], high.part[i]));
    r.part[i] = hn::IfThenElseZero(inside, value.part[i]);
  }
  return r;
}
// value where x > 0, else 0.
template <typename T>
HWY_INLINE Wide<T> WherePositive(const Wide<T>& x, const Wide<T>& value) {
  Wide<T> r;
  WIDE_EACH(i) {
    r.part[i] = hn::IfThenElseZero(
        hn::Gt(x.part[i], hn::Zero(typename Wide<T>::D())), value.part[i]);
  }
  return r;
}

// In one order: halves added to halves.
template <typename T>
HWY_INLINE double SumOfLanes(const T* lanes) {
  double s[kLanes<T> / 2];
  for (int i = 0; i < kLanes<T> / 2; ++i) {
    s[i] = static_cast<double>(lanes[i]) + lanes[i + kLanes<T> / 2];
  }
  for (int n = kLanes<T> / 4; n > 0; n /= 2) {
    for (int i = 0; i < n; ++i) s[i] += s[i + n];
  }
  return s[0];
}
template <typename T>
HWY_INLINE double SumOfLanes(const Wide<T>& v) {
  T lanes[kLanes<T>];
  Store<T>(v, lanes);
  return SumOfLanes<T>(lanes);
}

// The candidates of a channel, as vectors.
template <typename T, int kCount>
struct WideMixture {
  bool has_float;
  Wide<T> float_probability;
  Wide<T> reciprocal[kCount + 1], offset[kCount + 1], low[kCount + 1], high[kCount + 1],
      step[kCount + 1], probability[kCount + 1], weighted_step[kCount + 1];

  HWY_INLINE WideMixture(const Mixture<T>& mixture, int64_t channel)
      : has_float(mixture.has_float), float_probability(Broadcast(mixture.float_probability)) {
    for (int i = 0; i < kCount; ++i) {
      const Candidate<T>& c = mixture.candidates[channel * mixture.channel_stride + i];
      reciprocal[i] = Broadcast(c.reciprocal);
      offset[i] = Broadcast(c.offset);
      low[i] = Broadcast(c.low);
      high[i] = Broadcast(c.high);
      step[i] = Broadcast(c.step);
      probability[i] = Broadcast(c.probability);
      weighted_step[i] = Broadcast(c.step * c.probability);
    }
  }

  HWY_INLINE Wide<T> Level(int i, const Wide<T>& x) const {
    const Wide<T> level = Sub(Round(MulAdd(x, reciprocal[i], offset[i])), offset[i]);
    return Min(high[i], Max(low[i], level));
  }
  // Rounded as quant/quantizers_cpu_kernels.cc rounds: see Convolve.
  HWY_INLINE Wide<T> Mixed(const Wide<T>& x) const {
    Wide<T> y = Broadcast(T(0));
    for (int i = 0; i < kCount; ++i) {
      const Wide<T> term = Mul(Mul(Level(i, x), step[i]), probability[i]);
      y = i == 0 ? term : Add(y, term);
    }
    if (!has_float) return y;
    const Wide<T> term = Mul(x, float_probability);
    return kCount == 0 ? term : Add(y, term);
  }
};

// Calls body(std::integral_constant of the number of candidates).
template <typename Body>
HWY_INLINE void ForCount(int count, const Body& body) {
  switch (count) {
    case 0:
      return body(std::integral_constant<int, 0>());
    case 1:
      return body(std::integral_constant<int, 1>());
    case 2:
      return body(std::integral_constant<int, 2>());
    case 3:
      return body(std::integral_constant<int, 3>());
    default:
      return body(std::integral_constant<int, 4>());
  }
}

template <typename T>
struct WideActivation {
  Wide<T> scale, shift;
  bool affine, relu;

  HWY_INLINE WideActivation(const Activation<T>& activation, int64_t channel)
      : affine(activation.scale != nullptr), relu(activation.relu) {
    if (!affine) return;
    scale = Broadcast(activation.scale[channel]);
    shift = Broadcast(activation.shift[channel]);
  }
  // z's argument.
  HWY_INLINE Wide<T> Argument(const Wide<T>& x) const {
    return affine ? Add(Mul(x, scale), shift) : x;
  }
  HWY_INLINE Wide<T> Of(const Wide<T>& argument) const {
    return relu ? Max(Broadcast(T(0)), argument) : argument;
  }
};

// q = mix(z(x)), a plane of `size`; zeros up to a whole number of lanes.
template <typename T>
HWY_NOINLINE void QuantizePlane(const Activation<T>& activation, const Mixture<T>& mixture,
                                int64_t channel, int64_t size, const T* x, T* q) {
  ForCount(mixture.count, [&](auto count) HWY_ATTR {
    const WideMixture<T, count()> mix(mixture, channel);
    const WideActivation<T> z(activation, channel);
    int64_t j = 0;
    for (; j + kLanes<T> <= size; j += kLanes<T>) {
      Store(mix.Mixed(z.Of(z.Argument(Load(x + j)))), q + j);
    }
    if (j == size) return;
    T lanes[kLanes<T>];
    Store(mix.Mixed(z.Of(z.Argument(LoadFirst(x + j, size - j)))), lanes);
    std::fill(lanes + (size - j), lanes + kLanes<T>, T(0));
    std::copy_n(lanes, kLanes<T>, q + j);
  });
}

// From g, the gradient of mix(z(x)), zero beyond `size`, to that of x: into gx, or added to it.
// With `quantized`, mix(z(x)) goes there. probability_sums and norm_sums may be null.
template <typename T>
HWY_NOINLINE void MixBackward(const Activation<T>& activation, const Mixture<T>& mixture,
                              int64_t channel, int64_t size, const T* x, const T* g, T* gx,
                              bool accumulate, T* quantized, double* probability_sums,
                              double* norm_sums) {
  ForCount(mixture.count, [&](auto count) HWY_ATTR {
    constexpr int kCount = count();
    const WideMixture<T, kCount> mix(mixture, channel);
    const Candidate<T>* const candidates =
        mixture.candidates + channel * mixture.channel_stride;
    Wide<T> pass_low[kCount + 1], pass_high[kCount + 1], sums[kCount + 1];
    for (int i = 0; i < kCount; ++i) {
      pass_low[i] = Broadcast(candidates[i].pass_low);
      pass_high[i] = Broadcast(candidates[i].pass_high);
    }
    for (Wide<T>& sum : sums) sum = Broadcast(T(0));
    Wide<T> norm_sum = Broadcast(T(0)), norm_product = Broadcast(T(0));
    const WideActivation<T> z(activation, channel);
    const Wide<T> first_slope = mixture.has_float ? mix.float_probability : Broadcast(T(0));
    const bool wants_levels = quantized != nullptr || probability_sums != nullptr;
    for (int64_t j = 0; j < size; j += kLanes<T>) {
      const int64_t n = size - j;
      const Wide<T> argument = z.Argument(LoadFirst(x + j, n));
      const Wide<T> value = z.Of(argument);
      const Wide<T> gradient = LoadFirst(g + j, n);
      Wide<T> slope = first_slope;
      for (int i = 0; i < kCount; ++i) {
        slope = Add(slope, Within(value, pass_low[i], pass_high[i], mix.probability[i]));
      }
      if (wants_levels) {
        Wide<T> mixed = mix.has_float ? Mul(value, mix.float_probability) : Broadcast(T(0));
        for (int i = 0; i < kCount; ++i) {
          const Wide<T> level = mix.Level(i, value);
          mixed = MulAdd(level, mix.weighted_step[i], mixed);
          sums[i] = MulAdd(gradient, level, sums[i]);
        }
        if (mix.has_float) sums[kCount] = MulAdd(gradient, value, sums[kCount]);
        if (quantized != nullptr) StoreFirst(mixed, quantized + j, n);
      }
      Wide<T> result = Mul(gradient, slope);
      if (z.relu) result = WherePositive(argument, result);
      if (norm_sums != nullptr) {
        norm_sum = Add(norm_sum, result);
        norm_product = MulAdd(result, argument, norm_product);
      }
      if (accumulate) result = Add(LoadFirst(gx + j, n), result);
      StoreFirst(result, gx + j, n);
    }
    if (probability_sums != nullptr) {
      for (int i = 0; i < kCount; ++i) {
        probability_sums[i] += SumOfLanes(sums[i]) * candidates[i].step;
      }
      if (mix.has_float) probability_sums[kCount] += SumOfLanes(sums[kCount]);
    }
    if (norm_sums != nullptr) {
      norm_sums[0] += SumOfLanes(norm_sum);
      norm_sums[1] += SumOfLanes(norm_product);
    }
  });
}

// Rows of `width` values from one pitch to another. Writes up to a vector beyond the last row's end
// if `spill`.
template <typename T>
HWY_INLINE void CopyRows(int64_t rows, int64_t width, const T* from, int64_t from_pitch, T* to,
                         int64_t to_pitch) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* source = from + r * from_pitch;
    T* target = to + r * to_pitch;
    int64_t j = 0;
    for (; j + kLanes<T> <= width; j += kLanes<T>) Store(Load(source + j), target + j);
    for (; j < width; ++j) target[j] = source[j];
  }
}

// A compact plane of the input into padded planes, whose padding is there already.
template <typename T>
HWY_INLINE void Pad(const DepthwiseShape& shape, const PaddedPlanes& planes, const T* x, T* padded) {
  T* inside = padded + planes.origin;
  if (shape.stride == 1) {
    return CopyRows(planes.height, planes.width, x, shape.width, inside, planes.pitch);
  }
  for (int64_t r = 0; r < planes.height; ++r) {
    for (int phase = 0; phase < 4; ++phase) {
      const T* source = x + (2 * r + phase / 2) * shape.width + phase % 2;
      T* target = inside + phase * planes.plane + r * planes.pitch;
      for (int64_t c = 0; c < planes.width; ++c) target[c] = source[2 * c];
    }
  }
}

// y[f] = sum over taps of weights times the padded planes of one channel, f along their memory.
// Products are rounded and added tap by tap, as a plain loop would: levels and weights come in a few
// values of both signs, and where they cancel out the sum is exactly 0, on the edge of what the next
// quantizer passes a gradient through. A fused multiply-add would leave its rounding there.
template <typename T, int kKernel, int kDilation, int kStride>
HWY_NOINLINE void Convolve(const PaddedPlanes& planes, const T* padded, const T* weights, T* y) {
  constexpr int kPad = kDilation * (kKernel - 1) / 2;
  const T* rows[kKernel * kStride];
  for (int u = 0; u < kKernel; ++u) {
    const int64_t offset = u * kDilation - kPad;
    const int64_t row = FloorDivide(offset, kStride), phase = offset - row * kStride;
    for (int column = 0; column < kStride; ++column) {
      rows[u * kStride + column] = padded + planes.origin +
                                   (phase * kStride + column) * planes.plane + row * planes.pitch;
    }
  }
  // Sums that do not wait for each other.
  constexpr int kVectors = Wide<T>::kParts == 1 ? 4 : 2;
  const int64_t size = planes.flat_size();
  const auto block = [&](auto vectors, int64_t f) HWY_ATTR {
    constexpr int kBlock = vectors();
    Wide<T> sum[kBlock];
    for (int v = 0; v < kBlock; ++v) sum[v] = Broadcast(T(0));
    for (int u = 0; u < kKernel; ++u) {
      for (int t = 0; t < kKernel; ++t) {
        const int offset = t * kDilation - kPad;
        const int column = static_cast<int>(FloorDivide(offset, kStride));
        const int phase = offset - column * kStride;
        const T* q = rows[u * kStride + phase] + f + column;
        const Wide<T> w = Broadcast(weights[u * kKernel + t]);
        for (int v = 0; v < kBlock; ++v) {
          sum[v] = Add(sum[v], Mul(w, Load(q + v * kLanes<T>)));
        }
      }
    }
    for (int v = 0; v < kBlock; ++v) Store(sum[v], y + f + v * kLanes<T>);
  };
  int64_t f = 0;
  for (; f + kVectors * kLanes<T> <= size; f += kVectors * kLanes<T>) {
    block(std::integral_constant<int, kVectors>(), f);
  }
  for (; f < size; f += kLanes<T>) block(std::integral_constant<int, 1>(), f);
}

// The gradient of Convolve's padded planes, without their padding: phase by phase, each like y.
template <typename T, int kKernel, int kDilation, int kStride>
HWY_NOINLINE void ConvolveBackward(const PaddedPlanes& planes, const T* padded_gy,
                                   const T* weights, int64_t gx_phase, T* gx) {
  constexpr int kPad = kDilation * (kKernel - 1) / 2;
  const int64_t size = planes.flat_size();
  const T* gy = padded_gy + planes.origin;
  for (int phase_row = 0; phase_row < kStride; ++phase_row) {
    for (int phase_column = 0; phase_column < kStride; ++phase_column) {
      T* out = gx + (phase_row * kStride + phase_column) * gx_phase;
      for (int64_t f = 0; f < size; f += kLanes<T>) {
        Wide<T> even = Broadcast(T(0)), odd = Broadcast(T(0));
        for (int u = 0; u < kKernel; ++u) {
          const int row_offset = u * kDilation - kPad;
          const int64_t row = FloorDivide(row_offset, kStride);
          if (row_offset - row * kStride != phase_row) continue;
          const T* line = gy + f - row * planes.pitch;
          for (int t = 0; t < kKernel; ++t) {
            const int offset = t * kDilation - kPad;
            const int column = static_cast<int>(FloorDivide(offset, kStride));
            if (offset - column * kStride != phase_column) continue;
            Wide<T>& sum = (u * kKernel + t) % 2 == 0 ? even : odd;
            sum = MulAdd(Broadcast(weights[u * kKernel + t]), Load(line - column), sum);
          }
        }
        Store(Add(even, odd), out + f);
      }
    }
  }
}

// sums[k] += lanes of the products of gy with what tap k read.
template <typename T, int kKernel, int kDilation, int kStride>
HWY_NOINLINE void ConvolveWeightGradient(const PaddedPlanes& planes, const T* padded_gy,
                                         const T* padded, T* sums) {
  constexpr int kPad = kDilation * (kKernel - 1) / 2;
  const int64_t size = planes.flat_size();
  const T* gy = padded_gy + planes.origin;
  for (int u = 0; u < kKernel; ++u) {
    const int row_offset = u * kDilation - kPad;
    const int64_t row = FloorDivide(row_offset, kStride), phase_row = row_offset - row * kStride;
    const T* line = padded + planes.origin + phase_row * kStride * planes.plane + row * planes.pitch;
    Wide<T> sum[kKernel];
    for (int t = 0; t < kKernel; ++t) sum[t] = Load(sums + (u * kKernel + t) * kLanes<T>);
    for (int64_t f = 0; f < size; f += kLanes<T>) {
      // Beyond the last row there is padding.
      const Wide<T> g = Load(gy + f);
      for (int t = 0; t < kKernel; ++t) {
        const int offset = t * kDilation - kPad;
        const int column = static_cast<int>(FloorDivide(offset, kStride));
        const int phase = offset - column * kStride;
        sum[t] = MulAdd(g, Load(line + phase * planes.plane + f + column), sum[t]);
      }
    }
    for (int t = 0; t < kKernel; ++t) Store(sum[t], sums + (u * kKernel + t) * kLanes<T>);
  }
}

template <int kKernel, int kDilation, int kStride>
struct Taps {
  static constexpr int kernel = kKernel, dilation = kDilation, stride = kStride;
};

// Calls body(Taps).
template <typename Body>
HWY_INLINE void ForTaps(const DepthwiseShape& shape, const Body& body) {
  const auto with_stride = [&](auto kernel, auto dilation) HWY_ATTR {
    if (shape.stride == 1) return body(Taps<kernel(), dilation(), 1>());
    body(Taps<kernel(), dilation(), 2>());
  };
  const std::integral_constant<int, 1> one;
  const std::integral_constant<int, 2> two;
  const std::integral_constant<int, 3> three;
  const std::integral_constant<int, 5> five;
  if (shape.kernel == 7) return with_stride(std::integral_constant<int, 7>(), one);
  if (shape.kernel == 3) {
    return shape.dilation == 1 ? with_stride(three, one) : with_stride(three, two);
  }
  return shape.dilation == 1 ? with_stride(five, one) : with_stride(five, two);
}

template <typename T>
void DepthwiseForward(const DepthwiseShape& shape, int64_t channels, const T* x, int64_t x_stride,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* d, Scratch<T>& scratch) {
  const PaddedPlanes planes(shape, kLanes<T>);
  const int64_t in_size = shape.height * shape.width, out_size = planes.height * planes.width;
  T* padded = scratch.GetZeroed(kPaddedPlane, shape.stride * shape.stride * planes.plane, shape);
  T* quantized = scratch.Get(kPlane, RoundUp(in_size, kLanes<T>));
  T* flat = scratch.Get(kFlat, planes.plane);
  ForTaps(shape, [&](auto taps) HWY_ATTR {
    using K = decltype(taps);
    for (int64_t c = 0; c < channels; ++c) {
      QuantizePlane(activation, mixture, c, in_size, x + c * x_stride, quantized);
      Pad(shape, planes, quantized, padded);
      Convolve<T, K::kernel, K::dilation, K::stride>(
          planes, padded, weights + c * K::kernel * K::kernel, flat);
      CopyRows(planes.height, planes.width, flat, planes.pitch, d + c * out_size, planes.width);
    }
  });
}

template <typename T>
void JoinRanges(int64_t channels, int64_t size, const T* x, int64_t x_stride, T* ranges) {
  for (int64_t c = 0; c < channels; ++c) {
    const T* plane = x + c * x_stride;
    T low = ranges[2 * c], high = ranges[2 * c + 1];
    int64_t j = 0;
    if (size >= kLanes<T>) {
      Wide<T> lows = Load(plane), highs = lows;
      for (; j + kLanes<T> <= size; j += kLanes<T>) {
        const Wide<T> v = Load(plane + j);
        lows = Min(v, lows);
        highs = Max(v, highs);
      }
      T lanes[kLanes<T>];
      Store<T>(lows, lanes);
      low = std::min(low, *std::min_element(lanes, lanes + kLanes<T>));
      Store<T>(highs, lanes);
      high = std::max(high, *std::max_element(lanes, lanes + kLanes<T>));
    }
    for (; j < size; ++j) {
      low = std::min(low, plane[j]);
      high = std::max(high, plane[j]);
    }
    ranges[2 * c] = low;
    ranges[2 * c + 1] = high;
  }
}

// For rows [m, m + kRows) of A and kVectors vectors from column j on, visits every vector of the
// product with B, whose rows are `size` apart: sum_k A[m + r, k] B[k, j].
// kPlain: products are rounded, for the reason that Convolve gives.
template <typename T, int kRows, int kVectors, bool kPlain, typename Visit>
HWY_INLINE void MultiplyBlock(int64_t m, int64_t inner, int64_t size, const T* a, const T* b,
                              int64_t j, const Visit& visit) {
  Wide<T> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Broadcast(T(0));
  }
  for (int64_t k = 0; k < inner; ++k) {
    Wide<T> right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = Load(b + k * size + j + v * kLanes<T>);
    for (int r = 0; r < kRows; ++r) {
      const Wide<T> left = Broadcast(a[(m + r) * inner + k]);
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = kPlain ? Add(sum[r][v], Mul(left, right[v])) : MulAdd(left, right[v], sum[r][v]);
      }
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    for (int r = 0; r < kRows; ++r) visit(r, j + v * kLanes<T>, sum[r][v]);
  }
}

// The whole rows; size is a multiple of the lanes.
template <typename T, int kRows, bool kPlain, typename Visit>
HWY_INLINE void MultiplyRows(int64_t m, int64_t inner, int64_t size, const T* a, const T* b,
                             const Visit& visit) {
  // As many sums as there are registers for.
  constexpr int kVectors = Wide<T>::kParts == 1 ? 4 : 1;
  int64_t j = 0;
  for (; j + kVectors * kLanes<T> <= size; j += kVectors * kLanes<T>) {
    MultiplyBlock<T, kRows, kVectors, kPlain>(m, inner, size, a, b, j, visit);
  }
  for (; j < size; j += kLanes<T>) MultiplyBlock<T, kRows, 1, kPlain>(m, inner, size, a, b, j, visit);

}

template <typename T>
void PointwiseForward(int64_t in, int64_t out, int64_t size, const T* x, int64_t x_stride,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* y, double* sums, Scratch<T>& scratch) {
  const int64_t padded_size = RoundUp(size, kLanes<T>);
  T* q = scratch.Get(kQuantized, in * padded_size);
  for (int64_t c = 0; c < in; ++c) {
    QuantizePlane(activation, mixture, c, size, x + c * x_stride, q + c * padded_size);
  }
  const auto rows = [&](auto count, int64_t o) HWY_ATTR {
    constexpr int kRows = count();
    Wide<T> sum[kRows], squares[kRows];
    for (int r = 0; r < kRows; ++r) sum[r] = squares[r] = Broadcast(T(0));
    MultiplyRows<T, kRows, /*kPlain=*/true>(o, in, padded_size, weights, q,
                           [&](int r, int64_t j, const Wide<T>& v) HWY_ATTR {
                             StoreFirst(v, y + (o + r) * size + j, size - j);
                             sum[r] = Add(sum[r], v);
                             squares[r] = MulAdd(v, v, squares[r]);
                           });
    for (int r = 0; r < kRows; ++r) {
      sums[2 * (o + r)] += SumOfLanes(sum[r]);
      sums[2 * (o + r) + 1] += SumOfLanes(squares[r]);
    }
  };
  int64_t o = 0;
  for (; o + 4 <= out; o += 4) rows(std::integral_constant<int, 4>(), o);
  for (; o < out; ++o) rows(std::integral_constant<int, 1>(), o);
}

// sums[m, k] += lanes of the products of A's row m and B's row k.
template <typename T, int kRows, int kColumns>
HWY_INLINE void OuterProducts(int64_t m, int64_t k, int64_t columns, int64_t size, const T* a,
                              const T* b, T* sums) {
  Wide<T> sum[kRows][kColumns];
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) {
      sum[r][c] = Load(sums + ((m + r) * columns + k + c) * kLanes<T>);
    }
  }
  for (int64_t j = 0; j < size; j += kLanes<T>) {
    Wide<T> left[kRows];
    for (int r = 0; r < kRows; ++r) left[r] = Load(a + (m + r) * size + j);
    for (int c = 0; c < kColumns; ++c) {
      const Wide<T> right = Load(b + (k + c) * size + j);
      for (int r = 0; r < kRows; ++r) sum[r][c] = MulAdd(left[r], right, sum[r][c]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) {
      Store(sum[r][c], sums + ((m + r) * columns + k + c) * kLanes<T>);
    }
  }
}

template <typename T>
void PointwiseBackward(int64_t in, int64_t out, int64_t size, const T* x, int64_t x_stride,
                       const Activation<T>& activation, const Mixture<T>& mixture,
                       const T* weights, const NormalizationGradient<T>& gradient, T* gx,
                       int64_t gx_stride, bool accumulate, double* norm_sums,
                       const WeightGradients<T>& weight_gradients, Scratch<T>& scratch) {
  const int64_t padded_size = RoundUp(size, kLanes<T>);
  T* gy = scratch.Get(kOutputGradient, out * padded_size);
  for (int64_t o = 0; o < out; ++o) {
    const Wide<T> direct = Broadcast(gradient.direct[o]), slope = Broadcast(gradient.slope[o]),
                  constant = Broadcast(gradient.constant[o]);
    const T* g = gradient.g + o * gradient.g_stride;
    const T* y = gradient.y + o * size;
    T* target = gy + o * padded_size;
    for (int64_t j = 0; j < size; j += kLanes<T>) {
      Store(MulAdd(LoadFirst(g + j, size - j), direct,
                   MulAdd(LoadFirst(y + j, size - j), slope, constant)),
            target + j);
    }
    std::fill(target + size, target + padded_size, T(0));
  }

  T* transposed = scratch.Get(kTransposed, in * out);
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t c = 0; c < in; ++c) transposed[c * out + o] = weights[o * in + c];
  }
  T* gq = scratch.Get(kInputGradient, in * padded_size);
  int64_t m = 0;
  const auto store = [&](int r, int64_t j, const Wide<T>& v) HWY_ATTR {
    Store(v, gq + (m + r) * padded_size + j);
  };
  for (; m + 4 <= in; m += 4) MultiplyRows<T, 4, false>(m, out, padded_size, transposed, gy, store);
  for (; m < in; ++m) MultiplyRows<T, 1, false>(m, out, padded_size, transposed, gy, store);

  const bool weights_want = weight_gradients.pointwise != nullptr;
  T* q = weights_want ? scratch.Get(kQuantized, in * padded_size) : nullptr;
  for (int64_t c = 0; c < in; ++c) {
    T* quantized = weights_want ? q + c * padded_size : nullptr;
    MixBackward(activation, mixture, c, size, x + c * x_stride, gq + c * padded_size,
                gx + c * gx_stride, accumulate, quantized, weight_gradients.probabilities,
                norm_sums == nullptr ? nullptr : norm_sums + 2 * c);
    if (weights_want) std::fill(quantized + size, quantized + padded_size, T(0));
  }
  if (!weights_want) return;
  for (int64_t o = 0; o < out;) {
    const int rows = out - o >= 4 ? 4 : 1;
    for (int64_t c = 0; c < in;) {
      const int columns = in - c >= 4 ? 4 : 1;
      T* sums = weight_gradients.pointwise;
      if (rows == 4 && columns == 4) {
        OuterProducts<T, 4, 4>(o, c, in, padded_size, gy, q, sums);
      } else if (rows == 4) {
        OuterProducts<T, 4, 1>(o, c, in, padded_size, gy, q, sums);
      } else if (columns == 4) {
        OuterProducts<T, 1, 4>(o, c, in, padded_size, gy, q, sums);
      } else {
        OuterProducts<T, 1, 1>(o, c, in, padded_size, gy, q, sums);
      }
      c += columns;
    }
    o += rows;
  }
}

template <typename T>
void SeparableBackward(const DepthwiseShape& shape, int64_t in, int64_t out, const T* x,
                       int64_t x_stride, const Activation<T>& activation, const Mixture<T>& first,
                       const T* depthwise, const Mixture<T>& second, const T* pointwise,
                       const NormalizationGradient<T>& gradient, T* gx, int64_t gx_stride,
                       bool accumulate, double* norm_sums,
                       const WeightGradients<T>& weight_gradients, Scratch<T>& scratch) {
  const PaddedPlanes planes(shape, kLanes<T>);
  const int64_t in_size = shape.height * shape.width, out_size = planes.height * planes.width;
  const int phases = shape.stride * shape.stride;
  const int64_t padded_channel = phases * planes.plane;
  T* padded = scratch.GetZeroed(kPadded, in * padded_channel, shape);
  T* padded_gd = scratch.GetZeroed(kPaddedGradient, planes.plane, shape);
  T* plane = scratch.Get(kPlane, RoundUp(in_size, kLanes<T>));
  const int64_t flat_phase = RoundUp(planes.flat_size(), kLanes<T>);
  T* flat = scratch.Get(kFlat, phases * flat_phase);
  T* d = scratch.Get(kDepthwise, in * out_size);
  T* gd = scratch.Get(kDepthwiseGradient, in * out_size);
  ForTaps(shape, [&](auto taps) HWY_ATTR {
    using K = decltype(taps);
    constexpr int kWeights = K::kernel * K::kernel;
    for (int64_t c = 0; c < in; ++c) {
      QuantizePlane(activation, first, c, in_size, x + c * x_stride, plane);
      Pad(shape, planes, plane, padded + c * padded_channel);
      Convolve<T, K::kernel, K::dilation, K::stride>(planes, padded + c * padded_channel,
                                                     depthwise + c * kWeights, flat);
      CopyRows(planes.height, planes.width, flat, planes.pitch, d + c * out_size, planes.width);
    }
    HWY_NAMESPACE::PointwiseBackward(
        in, out, out_size, d, out_size, Activation<T>{.relu = false}, second,
                      pointwise, gradient, gd, out_size, /*accumulate=*/false,
                      static_cast<double*>(nullptr), weight_gradients, scratch);
    for (int64_t c = 0; c < in; ++c) {
      CopyRows(planes.height, planes.width, gd + c * out_size, planes.width,
               padded_gd + planes.origin, planes.pitch);
      if (weight_gradients.depthwise != nullptr) {
        ConvolveWeightGradient<T, K::kernel, K::dilation, K::stride>(
            planes, padded_gd, padded + c * padded_channel,
            weight_gradients.depthwise + c * kWeights * kLanes<T>);
      }
      ConvolveBackward<T, K::kernel, K::dilation, K::stride>(
          planes, padded_gd, depthwise + c * kWeights, flat_phase, flat);
      if constexpr (K::stride == 1) {
        CopyRows(planes.height, planes.width, flat, planes.pitch, plane, planes.width);
      } else {
        for (int64_t r = 0; r < planes.height; ++r) {
          for (int phase = 0; phase < 4; ++phase) {
            const T* source = flat + phase * flat_phase + r * planes.pitch;
            T* target = plane + (2 * r + phase / 2) * shape.width + phase % 2;
            for (int64_t j = 0; j < planes.width; ++j) target[2 * j] = source[j];
          }
        }
      }
      MixBackward(activation, first, c, in_size, x + c * x_stride, plane, gx + c * gx_stride,
                  accumulate, static_cast<T*>(nullptr), weight_gradients.probabilities,
                  norm_sums == nullptr ? nullptr : norm_sums + 2 * c);
    }
  });
}

// How many values of its window each pixel of an average pool has.
template <typename T>
void WindowReciprocals(int64_t height, int64_t width, int stride, T* reciprocals) {
  const auto count = [stride](int64_t out, int64_t size) {
    const int64_t first = out * stride - 1;
    return std::min(first + 3, size) - std::max<int64_t>(first, 0);
  };
  for (int64_t r = 0; r < height / stride; ++r) {
    for (int64_t c = 0; c < width / stride; ++c) {
      *reciprocals++ = T(1) / static_cast<T>(count(r, height) * count(c, width));
    }
  }
}

template <typename T>
struct PoolShape {
  DepthwiseShape shape;
  PaddedPlanes planes;
  int64_t offsets[9];  // Of the window's values in the padded planes, row by row.

  PoolShape(int64_t height, int64_t width, int stride)
      : shape{height, width, /*kernel=*/3, /*dilation=*/1, stride}, planes(shape, kLanes<T>) {
    for (int k = 0; k < 9; ++k) {
      const int64_t u = k / 3 - 1, t = k % 3 - 1;
      const int64_t row = FloorDivide(u, stride), column = FloorDivide(t, stride);
      const int64_t phase = (u - row * stride) * stride + (t - column * stride);
      offsets[k] = planes.origin + phase * planes.plane + row * planes.pitch + column;
    }
  }
  int64_t padded_size() const { return shape.stride * shape.stride * planes.plane; }
};

template <typename T>
void PoolForward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                 int64_t x_stride, T* y, Scratch<T>& scratch) {
  const PoolShape<T> pool(height, width, stride);
  const PaddedPlanes& planes = pool.planes;
  const int64_t out_size = planes.height * planes.width;
  T* padded = scratch.Get(kPooled, pool.padded_size());
  std::fill_n(padded, pool.padded_size(), max ? -std::numeric_limits<T>::infinity() : T(0));
  T* flat = scratch.Get(kFlat, planes.plane);
  T* reciprocals = scratch.Get(kReciprocals, out_size);
  if (!max) WindowReciprocals(height, width, stride, reciprocals);
  for (int64_t c = 0; c < channels; ++c) {
    Pad(pool.shape, planes, x + c * x_stride, padded);
    for (int64_t f = 0; f < planes.flat_size(); f += kLanes<T>) {
      Wide<T> result = Load(padded + pool.offsets[0] + f);
      for (int k = 1; k < 9; ++k) {
        const Wide<T> v = Load(padded + pool.offsets[k] + f);
        result = max ? Max(result, v) : Add(result, v);
      }
      Store(result, flat + f);
    }
    T* target = y + c * out_size;
    CopyRows(planes.height, planes.width, flat, planes.pitch, target, planes.width);
    if (max) continue;
    for (int64_t j = 0; j < out_size; ++j) target[j] *= reciprocals[j];
  }
}

template <typename T>
void PoolBackward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                  int64_t x_stride, const T* y, const NormalizationGradient<T>& gradient, T* gx,
                  int64_t gx_stride, Scratch<T>& scratch) {
  const PoolShape<T> pool(height, width, stride);
  const PaddedPlanes& planes = pool.planes;
  const int64_t out_size = planes.height * planes.width;
  T* padded = scratch.Get(kPooled, pool.padded_size());
  if (max) std::fill_n(padded, pool.padded_size(), -std::numeric_limits<T>::infinity());
  T* padded_gx = scratch.Get(kPooledGradient, pool.padded_size());
  T* gy = scratch.Get(kPlane, out_size);
  T* reciprocals = scratch.Get(kReciprocals, out_size);
  if (!max) WindowReciprocals(height, width, stride, reciprocals);
  // In rows of the padded planes' pitch, zero between them.
  const int64_t flat_size = RoundUp(planes.flat_size(), kLanes<T>);
  T* flat_gy = scratch.Get(kFlat, 2 * flat_size);
  std::fill_n(flat_gy, 2 * flat_size, T(0));
  T* flat_y = flat_gy + flat_size;
  for (int64_t c = 0; c < channels; ++c) {
    const T* g = gradient.g + c * gradient.g_stride;
    const T* values = y + c * out_size;
    for (int64_t j = 0; j < out_size; ++j) {
      gy[j] = g[j] * gradient.direct[c] + (values[j] * gradient.slope[c] + gradient.constant[c]);
    }
    if (!max) {
      for (int64_t j = 0; j < out_size; ++j) gy[j] *= reciprocals[j];
    }
    CopyRows(planes.height, planes.width, gy, planes.width, flat_gy, planes.pitch);
    if (max) {
      Pad(pool.shape, planes, x + c * x_stride, padded);
      CopyRows(planes.height, planes.width, values, planes.width, flat_y, planes.pitch);
    }
    std::fill_n(padded_gx, pool.padded_size(), T(0));
    for (int64_t f = 0; f < planes.flat_size(); f += kLanes<T>) {
      Wide<T> rest = Load(flat_gy + f);  // Becomes zero where its maximum has been found.
      const Wide<T> maximum = Load(flat_y + f);
      for (int k = 0; k < 9; ++k) {
        T* target = padded_gx + pool.offsets[k] + f;
        Wide<T> share = rest;
        if (max) {
          const Wide<T> v = Load(padded + pool.offsets[k] + f);
          WIDE_EACH(i) {
            const auto here = hn::Eq(v.part[i], maximum.part[i]);
            share.part[i] = hn::IfThenElseZero(here, rest.part[i]);
            rest.part[i] = hn::IfThenZeroElse(here, rest.part[i]);
          }
        }
        Store(Add(Load(target), share), target);
      }
    }
    const T* inside = padded_gx + planes.origin;
    T* target = gx + c * gx_stride;
    for (int64_t r = 0; r < height; ++r) {
      const T* source = inside + (r % stride) * stride * planes.plane + r / stride * planes.pitch;
      T* row = target + r * width;
      if (stride == 1) {
        for (int64_t j = 0; j < width; ++j) row[j] += source[j];
      } else {
        for (int64_t j = 0; j < width; ++j) row[j] += source[j % 2 * planes.plane + j / 2];
      }
    }
  }
}

// y = constant + sum_i coefficients[i] terms[i], kVectors vectors from j on, of which the last may
// have less than all lanes.
template <typename T, int kVectors>
HWY_INLINE void CombineBlock(int64_t j, int64_t size, int count, const T* const* terms,
                             const T* coefficients, T constant, T* y) {
  Wide<T> sum[kVectors];
  for (Wide<T>& s : sum) s = Broadcast(constant);
  for (int i = 0; i < count; ++i) {
    const Wide<T> coefficient = Broadcast(coefficients[i]);
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = j + v * kLanes<T>;
      const Wide<T> term = kVectors == 1 ? LoadFirst(terms[i] + at, size - at) : Load(terms[i] + at);
      sum[v] = MulAdd(term, coefficient, sum[v]);
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    const int64_t at = j + v * kLanes<T>;
    StoreFirst(sum[v], y + at, size - at);
  }
}

template <typename T>
void Combine(int64_t size, int count, const T* const* terms, const T* coefficients, T constant,
             T* y) {
  constexpr int kVectors = 4;
  int64_t j = 0;
  for (; j + kVectors * kLanes<T> <= size; j += kVectors * kLanes<T>) {
    CombineBlock<T, kVectors>(j, size, count, terms, coefficients, constant, y);
  }
  for (; j < size; j += kLanes<T>) {
    CombineBlock<T, 1>(j, size, count, terms, coefficients, constant, y);
  }
}

template <typename T>
void AddScaled(int64_t size, T a, const T* x, T* y) {
  const Wide<T> scale = Broadcast(a);
  for (int64_t j = 0; j < size; j += kLanes<T>) {
    const int64_t n = size - j;
    StoreFirst(MulAdd(LoadFirst(x + j, n), scale, LoadFirst(y + j, n)), y + j, n);
  }
}

template <typename T>
void AddLanes(int64_t count, const T* lanes, double* sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += SumOfLanes(lanes + i * kLanes<T>);
}

// Several sums, so that one addition does not wait for the last.
inline constexpr int kChains = 4;

// The sum of all, of add(j, sum) for every vector.
template <typename T, typename AddTo>
HWY_INLINE double SumInChains(int64_t size, const AddTo& add) {
  Wide<T> sum[kChains];
  for (Wide<T>& s : sum) s = Broadcast(T(0));
  int64_t j = 0;
  for (; j + kChains * kLanes<T> <= size; j += kChains * kLanes<T>) {
    for (int k = 0; k < kChains; ++k) sum[k] = add(j + k * kLanes<T>, sum[k]);
  }
  for (; j < size; j += kLanes<T>) sum[0] = add(j, sum[0]);
  return SumOfLanes(Add(Add(sum[0], sum[1]), Add(sum[2], sum[3])));
}

template <typename T>
double Sum(int64_t size, const T* x) {
  return SumInChains<T>(size, [&](int64_t j, const Wide<T>& sum) HWY_ATTR {
    return Add(sum, LoadFirst(x + j, size - j));
  });
}

template <typename T>
double Dot(int64_t size, const T* x, const T* y) {
  return SumInChains<T>(size, [&](int64_t j, const Wide<T>& sum) HWY_ATTR {
    return MulAdd(LoadFirst(x + j, size - j), LoadFirst(y + j, size - j), sum);
  });
}

template <typename T>
Kernels<T> MakeKernels() {
  return {&DepthwiseForward<T>,  &JoinRanges<T>,   &PointwiseForward<T>, &PointwiseBackward<T>,
          &SeparableBackward<T>, &PoolForward<T>,  &PoolBackward<T>,     &Combine<T>,
          &AddScaled<T>,         &AddLanes<T>,     &Sum<T>,             &Dot<T>};
}

void FillKernels(Kernels<float>* single, Kernels<double>* twice) {
  *single = MakeKernels<float>();
  *twice = MakeKernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nas::fused {
namespace {

HWY_EXPORT(FillKernels);

struct AllKernels {
  Kernels<float> single;
  Kernels<double> twice;

  AllKernels() { Fill(); }
  void Fill() { HWY_DYNAMIC_DISPATCH(FillKernels)(&single, &twice); }
};

AllKernels& All() {
  static AllKernels& kernels = *new AllKernels;
  return kernels;
}

template <typename T>
const Kernels<T>& Table();
template <>
const Kernels<float>& Table<float>() {
  return All().single;
}
template <>
const Kernels<double>& Table<double>() {
  return All().twice;
}

}  // namespace

bool KernelsAvailable() {
  constexpr int64_t kFused = HWY_AVX2 | HWY_AVX3 | HWY_NEON;
  return (hwy::SupportedTargets() & HWY_TARGETS & kFused) != 0;
}

std::vector<std::string> KernelTargets() {
  std::vector<std::string> names;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target != HWY_BASELINE_TARGETS) names.push_back(hwy::TargetName(target));
  }
  return names;
}

void PinKernelTarget(const std::string& name) {
  int64_t pinned = 0;
  hwy::SetSupportedTargetsForTest(0);
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name == hwy::TargetName(target)) pinned = target;
  }
  hwy::SetSupportedTargetsForTest(pinned);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  All().Fill();
}

bool IsSupported(const DepthwiseShape& s) {
  return (s.kernel == 3 || s.kernel == 5 || (s.kernel == 7 && s.dilation == 1)) &&
         (s.dilation == 1 || s.dilation == 2) &&
         (s.stride == 1 || (s.stride == 2 && s.height % 2 == 0 && s.width % 2 == 0));
}

template <typename T>
void DepthwiseForward(const DepthwiseShape& shape, int64_t channels, const T* x, int64_t x_stride,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* d, Scratch<T>& scratch) {
  Table<T>().depthwise_forward(shape, channels, x, x_stride, activation, mixture, weights, d,
                               scratch);
}

template <typename T>
void JoinRanges(int64_t channels, int64_t size, const T* x, int64_t x_stride, T* ranges) {
  Table<T>().join_ranges(channels, size, x, x_stride, ranges);
}

template <typename T>
void PointwiseForward(int64_t in, int64_t out, int64_t size, const T* x, int64_t x_stride,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* y, double* sums, Scratch<T>& scratch) {
  Table<T>().pointwise_forward(in, out, size, x, x_stride, activation, mixture, weights, y, sums,
                               scratch);
}

template <typename T>
void PointwiseBackward(int64_t in, int64_t out, int64_t size, const T* x, int64_t x_stride,
                       const Activation<T>& activation, const Mixture<T>& mixture,
                       const T* weights, const NormalizationGradient<T>& gradient, T* gx,
                       int64_t gx_stride, bool accumulate, double* norm_sums,
                       const WeightGradients<T>& weight_gradients, Scratch<T>& scratch) {
  Table<T>().pointwise_backward(in, out, size, x, x_stride, activation, mixture, weights, gradient,
                                gx, gx_stride, accumulate, norm_sums, weight_gradients, scratch);
}

template <typename T>
void SeparableBackward(const DepthwiseShape& shape, int64_t in, int64_t out, const T* x,
                       int64_t x_stride, const Activation<T>& activation, const Mixture<T>& first,
                       const T* depthwise, const Mixture<T>& second, const T* pointwise,
                       const NormalizationGradient<T>& gradient, T* gx, int64_t gx_stride,
                       bool accumulate, double* norm_sums,
                       const WeightGradients<T>& weight_gradients, Scratch<T>& scratch) {
  Table<T>().separable_backward(shape, in, out, x, x_stride, activation, first, depthwise, second,
                                pointwise, gradient, gx, gx_stride, accumulate, norm_sums,
                                weight_gradients, scratch);
}

template <typename T>
void PoolForward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                 int64_t x_stride, T* y, Scratch<T>& scratch) {
  Table<T>().pool_forward(max, channels, height, width, stride, x, x_stride, y, scratch);
}

template <typename T>
void PoolBackward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                  int64_t x_stride, const T* y, const NormalizationGradient<T>& gradient, T* gx,
                  int64_t gx_stride, Scratch<T>& scratch) {
  Table<T>().pool_backward(max, channels, height, width, stride, x, x_stride, y, gradient, gx,
                           gx_stride, scratch);
}

template <typename T>
void Combine(int64_t size, int count, const T* const* terms, const T* coefficients, T constant,
             T* y) {
  Table<T>().combine(size, count, terms, coefficients, constant, y);
}

template <typename T>
void AddScaled(int64_t size, T a, const T* x, T* y) {
  Table<T>().add_scaled(size, a, x, y);
}

template <typename T>
void AddLanes(int64_t count, const T* lanes, double* sums) {
  Table<T>().add_lanes(count, lanes, sums);
}

template <typename T>
double Sum(int64_t size, const T* x) {
  return Table<T>().sum(size, x);
}

template <typename T>
double Dot(int64_t size, const T* x, const T* y) {
  return Table<T>().dot(size, x, y);
}

#define INSTANTIATE(T)                                                                          \
  template decltype(DepthwiseForward<T>) DepthwiseForward<T>;                                   \
  template decltype(JoinRanges<T>) JoinRanges<T>;                                               \
  template decltype(PointwiseForward<T>) PointwiseForward<T>;                                   \
  template decltype(PointwiseBackward<T>) PointwiseBackward<T>;                                 \
  template decltype(SeparableBackward<T>) SeparableBackward<T>;                                 \
  template decltype(PoolForward<T>) PoolForward<T>;                                             \
  template decltype(PoolBackward<T>) PoolBackward<T>;                                           \
  template decltype(Combine<T>) Combine<T>;                                                     \
  template decltype(AddScaled<T>) AddScaled<T>;                                                 \
  template decltype(AddLanes<T>) AddLanes<T>;                                                   \
  template decltype(Sum<T>) Sum<T>;                                                             \
  template decltype(Dot<T>) Dot<T>;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace nas::fused
#endif  // HWY_ONCE
