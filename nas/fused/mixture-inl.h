// A mixture of quantizers behind an activation, and its gradient, plane by plane.
#if defined(NAS_FUSED_MIXTURE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_MIXTURE_INL_H_
#undef NAS_FUSED_MIXTURE_INL_H_
#else
#define NAS_FUSED_MIXTURE_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/padded_planes.h"
#include "nas/fused/wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

// Whether all candidates of a channel are half-wave quantizers, with levels 0 to high, as HWGQ's
// and those of ranges without negatives, and nothing else is mixed.
template <typename T>
HWY_INLINE bool IsHalfWave(const Mixture<T>& mixture, int64_t channel) {
  bool half_wave = !mixture.has_float;
  for (int i = 0; i < mixture.count; ++i) {
    const Candidate<T>& c = mixture.candidates[channel * mixture.channel_stride + i];
    half_wave &= c.low == 0 && c.offset == 0;
  }
  return half_wave;
}

// The candidates of a channel, as vectors. kHalfWave: IsHalfWave; their levels are those of
// max(0, x), which takes less arithmetic.
template <typename T, int N, int kCount, bool kHalfWave>
struct WideMixture {
  bool has_float;
  Wide<T, N> float_probability;
  Wide<T, N> reciprocal[kCount + 1], offset[kCount + 1], low[kCount + 1], high[kCount + 1],
      step[kCount + 1], probability[kCount + 1], weighted_step[kCount + 1];

  HWY_INLINE WideMixture(const Mixture<T>& mixture, int64_t channel)
      : has_float(kCount == 0 || (!kHalfWave && mixture.has_float)),
        float_probability(Broadcast<T, N>(mixture.float_probability)) {
    for (int i = 0; i < kCount; ++i) {
      const Candidate<T>& c = mixture.candidates[channel * mixture.channel_stride + i];
      reciprocal[i] = Broadcast<T, N>(c.reciprocal);
      offset[i] = Broadcast<T, N>(c.offset);
      low[i] = Broadcast<T, N>(c.low);
      high[i] = Broadcast<T, N>(c.high);
      step[i] = Broadcast<T, N>(c.step);
      probability[i] = Broadcast<T, N>(c.probability);
      weighted_step[i] = Broadcast<T, N>(c.step * c.probability);
    }
  }

  // x: of kHalfWave not negative.
  HWY_INLINE Wide<T, N> Level(int i, const Wide<T, N>& x) const {
    if (kHalfWave) return Min(high[i], Round(Mul(x, reciprocal[i])));
    const Wide<T, N> level = Sub(Round(MulAdd(x, reciprocal[i], offset[i])), offset[i]);
    return Min(high[i], Max(low[i], level));
  }
  // Rounded as quant/quantizers_cpu_kernels.cc rounds: see Convolve.
  HWY_INLINE Wide<T, N> Mixed(const Wide<T, N>& x) const {
    Wide<T, N> y = Broadcast<T, N>(T(0));
    for (int i = 0; i < kCount; ++i) {
      const Wide<T, N> term = Mul(Mul(Level(i, x), step[i]), probability[i]);
      y = i == 0 ? term : Add(y, term);
    }
    if (!has_float) return y;
    const Wide<T, N> term = Mul(x, float_probability);
    return kCount == 0 ? term : Add(y, term);
  }
};

// Calls body(std::bool_constant).
template <typename Body>
HWY_INLINE void ForBool(bool value, const Body& body) {
  if (value) return body(std::true_type());
  body(std::false_type());
}

// Calls body(std::integral_constant of the number of candidates, std::bool_constant of IsHalfWave).
// For double, which is there to be exact, no loops of their own for half-wave quantizers: they take
// their time to compile, and give the same bits.
template <typename T, typename Body>
HWY_INLINE void ForCandidates(const Mixture<T>& mixture, int64_t channel, const Body& body) {
  const auto with_count = [&](auto count) HWY_ATTR {
    if constexpr (std::is_same_v<T, double>) {
      body(count, std::false_type());
    } else {
      ForBool(IsHalfWave(mixture, channel),
              [&](auto half_wave) HWY_ATTR { body(count, half_wave); });
    }
  };
  switch (mixture.count) {
    case 0:
      return body(std::integral_constant<int, 0>(), std::false_type());
    case 1:
      return with_count(std::integral_constant<int, 1>());
    case 2:
      return with_count(std::integral_constant<int, 2>());
    case 3:
      return with_count(std::integral_constant<int, 3>());
    default:
      return with_count(std::integral_constant<int, 4>());
  }
}

// What an activation makes of what is read.
enum class Reads { kItself, kRelu, kReluOfNormalized };

template <typename T, int N, Reads kReads>
struct WideActivation {
  static constexpr bool kRelu = kReads != Reads::kItself;
  static constexpr bool kAffine = kReads == Reads::kReluOfNormalized;
  Wide<T, N> scale, shift;

  HWY_INLINE WideActivation(const Activation<T>& activation, int64_t channel) {
    if constexpr (kAffine) {
      scale = Broadcast<T, N>(activation.scale[channel]);
      shift = Broadcast<T, N>(activation.shift[channel]);
    }
  }
  // z's argument.
  HWY_INLINE Wide<T, N> Argument(const Wide<T, N>& x) const {
    if constexpr (kAffine) return Add(Mul(x, scale), shift);
    return x;
  }
  HWY_INLINE Wide<T, N> Of(const Wide<T, N>& argument) const {
    if constexpr (kRelu) return Max(Broadcast<T, N>(T(0)), argument);
    return argument;
  }
};

// Calls body(std::integral_constant of Reads).
template <typename T, typename Body>
HWY_INLINE void ForReads(const Activation<T>& activation, const Body& body) {
  if (!activation.relu) return body(std::integral_constant<Reads, Reads::kItself>());
  if (activation.scale == nullptr) return body(std::integral_constant<Reads, Reads::kRelu>());
  body(std::integral_constant<Reads, Reads::kReluOfNormalized>());
}

// QuantizePlane of kCount candidates.
template <int kRowLanes, int kCount, bool kHalfWave, Reads kReads, typename T>
HWY_NOINLINE void QuantizePlaneOf(const Activation<T>& activation, const Mixture<T>& mixture,
                                  int64_t channel, Rows rows, const T* x, T* q) {
  constexpr int N = kInRegister<T, kRowLanes>;
  const WideMixture<T, N, kCount, kHalfWave> mix(mixture, channel);
  const WideActivation<T, N, kReads> z(activation, channel);
  const Wide<T, N> zero = Broadcast<T, N>(T(0));
  const int64_t end = RoundUp(rows.width, kRowLanes);
  for (int64_t r = 0; r < rows.count; ++r, x += rows.width, q += rows.pitch) {
    ForColumns<N>(0, N, rows.width, [&](int64_t j, auto n) HWY_ATTR {
      const Wide<T, N> value = z.Of(z.Argument(LoadFirst<T, N>(x + j, n)));
      const Wide<T, N> mixed = mix.Mixed(kHalfWave && !z.kRelu ? Max(zero, value) : value);
      Store(KeepFirst(mixed, n), q + j);
    });
    for (int64_t j = RoundUp(rows.width, N); j < end; j += N) Store(zero, q + j);
  }
}

// q = mix(z(x)), x in rows back to back, q in `rows`; zeros behind each up to a multiple of
// kRowLanes.
template <int kRowLanes, typename T>
HWY_INLINE void QuantizePlane(const Activation<T>& activation, const Mixture<T>& mixture,
                              int64_t channel, const Rows& rows, const T* x, T* q) {
  ForCandidates(mixture, channel, [&](auto count, auto half_wave) HWY_ATTR {
    ForReads(activation, [&](auto reads) HWY_ATTR {
      QuantizePlaneOf<kRowLanes, count(), half_wave(), reads()>(activation, mixture, channel, rows,
                                                                x, q);
    });
  });
}

// MixBackward of kCount candidates; kLevels: what they make of x is wanted.
template <int kRowLanes, int kCount, bool kHalfWave, Reads kReads, bool kLevels, typename T>
HWY_NOINLINE void MixBackwardOf(const Activation<T>& activation, const Mixture<T>& mixture,
                                int64_t channel, Rows rows, const T* x, const T* g, T* gx,
                                bool accumulate, T* quantized, double* probability_sums,
                                double* norm_sums) {
  constexpr int N = kInRegister<T, kRowLanes>;
  const WideMixture<T, N, kCount, kHalfWave> mix(mixture, channel);
  const Candidate<T>* const candidates = mixture.candidates + channel * mixture.channel_stride;
  Wide<T, N> pass_low[kCount + 1], pass_high[kCount + 1];
  for (int i = 0; i < kCount; ++i) {
    pass_low[i] = Broadcast<T, N>(candidates[i].pass_low);
    pass_high[i] = Broadcast<T, N>(candidates[i].pass_high);
  }
  const WideActivation<T, N, kReads> z(activation, channel);
  const Wide<T, N> zero = Broadcast<T, N>(T(0));
  const Wide<T, N> first_slope = mix.has_float ? mix.float_probability : zero;
  // By candidate, the float one, the normalization's sum and product.
  T lanes[kCount + 3][kRowLanes];
  for (int lane = 0; lane < kRowLanes; lane += N) {
    Wide<T, N> sums[kCount + 1];
    for (Wide<T, N>& sum : sums) sum = zero;
    Wide<T, N> norm_sum = zero, norm_product = zero;
    const T* x_row = x;
    const T* g_row = g;
    T* gx_row = gx;
    T* quantized_row = quantized;
    for (int64_t r = 0; r < rows.count; ++r) {
      ForColumns<N>(lane, kRowLanes, rows.width, [&](int64_t j, auto n) HWY_ATTR {
        const Wide<T, N> given = LoadFirst<T, N>(x_row + j, n);
        const Wide<T, N> argument = z.Argument(given);
        const Wide<T, N> value = z.Of(argument);
        const Wide<T, N> gradient = LoadFirst<T, N>(g_row + j, n);
        Wide<T, N> slope = first_slope;
        for (int i = 0; i < kCount; ++i) {
          const Wide<T, N> passed =
              z.kRelu ? UpTo(value, pass_high[i], mix.probability[i])
                      : Within(value, pass_low[i], pass_high[i], mix.probability[i]);
          slope = kHalfWave && i == 0 ? passed : Add(slope, passed);
        }
        if constexpr (kLevels) {
          const Wide<T, N> positive = z.kRelu || !kHalfWave ? value : Max(zero, value);
          Wide<T, N> mixed = mix.has_float ? Mul(value, mix.float_probability) : zero;
          for (int i = 0; i < kCount; ++i) {
            const Wide<T, N> level = mix.Level(i, positive);
            mixed = MulAdd(level, mix.weighted_step[i], mixed);
            sums[i] = MulAdd(gradient, level, sums[i]);
          }
          if (mix.has_float) sums[kCount] = MulAdd(gradient, value, sums[kCount]);
          if (quantized != nullptr) StoreFirst(mixed, quantized_row + j, n);
        }
        Wide<T, N> result = Mul(gradient, slope);
        if (z.kRelu) result = WherePositive(argument, result);
        if (z.kAffine) {
          norm_sum = Add(norm_sum, result);
          norm_product = MulAdd(result, given, norm_product);
        }
        if (accumulate) result = Add(LoadFirst<T, N>(gx_row + j, n), result);
        StoreFirst(result, gx_row + j, n);
      });
      x_row += rows.width;
      g_row += rows.width;
      gx_row += rows.pitch;
      if (quantized != nullptr) quantized_row += rows.width;
    }
    if constexpr (kLevels) {
      for (int i = 0; i <= kCount; ++i) Store(sums[i], lanes[i] + lane);
    }
    if constexpr (z.kAffine) {
      Store(norm_sum, lanes[kCount + 1] + lane);
      Store(norm_product, lanes[kCount + 2] + lane);
    }
  }
  if (kLevels && probability_sums != nullptr) {
    for (int i = 0; i < kCount; ++i) {
      probability_sums[i] += SumOfLanes<T, kRowLanes>(lanes[i]) * candidates[i].step;
    }
    if (mix.has_float) probability_sums[kCount] += SumOfLanes<T, kRowLanes>(lanes[kCount]);
  }
  if (z.kAffine && norm_sums != nullptr) {
    norm_sums[0] += SumOfLanes<T, kRowLanes>(lanes[kCount + 1]);
    norm_sums[1] += SumOfLanes<T, kRowLanes>(lanes[kCount + 2]);
  }
}

// From g, the gradient of mix(z(x)), to that of x: into gx, in `rows`, or added to it; x and g in
// rows back to back. With `quantized`, mix(z(x)) goes there, like x. probability_sums and norm_sums
// may be null, the latter must be where z does not normalize; they are summed in kRowLanes lanes,
// those of one register at a time.
template <int kRowLanes, typename T>
HWY_INLINE void MixBackward(const Activation<T>& activation, const Mixture<T>& mixture,
                            int64_t channel, const Rows& rows, const T* x, const T* g, T* gx,
                            bool accumulate, T* quantized, double* probability_sums,
                            double* norm_sums) {
  const bool levels = quantized != nullptr || probability_sums != nullptr;
  ForCandidates(mixture, channel, [&](auto count, auto half_wave) HWY_ATTR {
    ForReads(activation, [&](auto reads) HWY_ATTR {
      ForBool(levels, [&](auto wants_levels) HWY_ATTR {
        MixBackwardOf<kRowLanes, count(), half_wave(), reads(), wants_levels()>(
            activation, mixture, channel, rows, x, g, gx, accumulate, quantized, probability_sums,
            norm_sums);
      });
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_MIXTURE_INL_H_
