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

// The candidates of a channel, as vectors.
template <typename T, int N, int kCount>
struct WideMixture {
  bool has_float;
  Wide<T, N> float_probability;
  Wide<T, N> reciprocal[kCount + 1], offset[kCount + 1], low[kCount + 1], high[kCount + 1],
      step[kCount + 1], probability[kCount + 1], weighted_step[kCount + 1];

  HWY_INLINE WideMixture(const Mixture<T>& mixture, int64_t channel)
      : has_float(mixture.has_float),
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

  HWY_INLINE Wide<T, N> Level(int i, const Wide<T, N>& x) const {
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

template <typename T, int N>
struct WideActivation {
  Wide<T, N> scale, shift;
  bool affine, relu;

  HWY_INLINE WideActivation(const Activation<T>& activation, int64_t channel)
      : affine(activation.scale != nullptr), relu(activation.relu) {
    if (!affine) return;
    scale = Broadcast<T, N>(activation.scale[channel]);
    shift = Broadcast<T, N>(activation.shift[channel]);
  }
  // z's argument.
  HWY_INLINE Wide<T, N> Argument(const Wide<T, N>& x) const {
    return affine ? Add(Mul(x, scale), shift) : x;
  }
  HWY_INLINE Wide<T, N> Of(const Wide<T, N>& argument) const {
    return relu ? Max(Broadcast<T, N>(T(0)), argument) : argument;
  }
};

// q = mix(z(x)), x in rows back to back, q in `rows`; zeros behind each up to a multiple of
// kRowLanes.
template <int kRowLanes, typename T>
HWY_NOINLINE void QuantizePlane(const Activation<T>& activation, const Mixture<T>& mixture,
                                int64_t channel, const Rows& rows, const T* x, T* q) {
  constexpr int N = kInRegister<T, kRowLanes>;
  ForCount(mixture.count, [&](auto count) HWY_ATTR {
    const WideMixture<T, N, count()> mix(mixture, channel);
    const WideActivation<T, N> z(activation, channel);
    const int64_t end = RoundUp(rows.width, kRowLanes);
    for (int64_t r = 0; r < rows.count; ++r, x += rows.width, q += rows.pitch) {
      for (int64_t j = 0; j < end; j += N) {
        const int64_t n = rows.width - j;
        Store(KeepFirst(mix.Mixed(z.Of(z.Argument(LoadFirst<T, N>(x + j, n)))), n), q + j);
      }
    }
  });
}

// From g, the gradient of mix(z(x)), to that of x: into gx, in `rows`, or added to it; x and g in
// rows back to back. With `quantized`, mix(z(x)) goes there, like x. probability_sums and norm_sums
// may be null; they are summed in kRowLanes lanes, those of one register at a time.
template <int kRowLanes, typename T>
HWY_NOINLINE void MixBackward(const Activation<T>& activation, const Mixture<T>& mixture,
                              int64_t channel, const Rows& rows, const T* x, const T* g, T* gx,
                              bool accumulate, T* quantized, double* probability_sums,
                              double* norm_sums) {
  constexpr int N = kInRegister<T, kRowLanes>;
  ForCount(mixture.count, [&](auto count) HWY_ATTR {
    constexpr int kCount = count();
    const WideMixture<T, N, kCount> mix(mixture, channel);
    const Candidate<T>* const candidates = mixture.candidates + channel * mixture.channel_stride;
    Wide<T, N> pass_low[kCount + 1], pass_high[kCount + 1];
    for (int i = 0; i < kCount; ++i) {
      pass_low[i] = Broadcast<T, N>(candidates[i].pass_low);
      pass_high[i] = Broadcast<T, N>(candidates[i].pass_high);
    }
    const WideActivation<T, N> z(activation, channel);
    const Wide<T, N> first_slope =
        mixture.has_float ? mix.float_probability : Broadcast<T, N>(T(0));
    const bool wants_levels = quantized != nullptr || probability_sums != nullptr;
    // By candidate, the float one, the normalization's sum and product.
    T lanes[kCount + 3][kLanes<T>] = {};
    for (int lane = 0; lane < kRowLanes; lane += N) {
      Wide<T, N> sums[kCount + 1];
      for (Wide<T, N>& sum : sums) sum = Broadcast<T, N>(T(0));
      Wide<T, N> norm_sum = Broadcast<T, N>(T(0)), norm_product = Broadcast<T, N>(T(0));
      for (int64_t r = 0; r < rows.count; ++r) {
        T* const target = gx + r * rows.pitch;
        for (int64_t j = lane; j < rows.width; j += kRowLanes) {
          const int64_t n = rows.width - j, at = r * rows.width + j;
          const Wide<T, N> given = LoadFirst<T, N>(x + at, n);
          const Wide<T, N> argument = z.Argument(given);
          const Wide<T, N> value = z.Of(argument);
          const Wide<T, N> gradient = LoadFirst<T, N>(g + at, n);
          Wide<T, N> slope = first_slope;
          for (int i = 0; i < kCount; ++i) {
            slope = Add(slope, Within(value, pass_low[i], pass_high[i], mix.probability[i]));
          }
          if (wants_levels) {
            Wide<T, N> mixed =
                mix.has_float ? Mul(value, mix.float_probability) : Broadcast<T, N>(T(0));
            for (int i = 0; i < kCount; ++i) {
              const Wide<T, N> level = mix.Level(i, value);
              mixed = MulAdd(level, mix.weighted_step[i], mixed);
              sums[i] = MulAdd(gradient, level, sums[i]);
            }
            if (mix.has_float) sums[kCount] = MulAdd(gradient, value, sums[kCount]);
            if (quantized != nullptr) StoreFirst(mixed, quantized + at, n);
          }
          Wide<T, N> result = Mul(gradient, slope);
          if (z.relu) result = WherePositive(argument, result);
          if (norm_sums != nullptr) {
            norm_sum = Add(norm_sum, result);
            norm_product = MulAdd(result, given, norm_product);
          }
          if (accumulate) result = Add(LoadFirst<T, N>(target + j, n), result);
          StoreFirst(result, target + j, n);
        }
      }
      for (int i = 0; i <= kCount; ++i) Store(sums[i], lanes[i] + lane);
      Store(norm_sum, lanes[kCount + 1] + lane);
      Store(norm_product, lanes[kCount + 2] + lane);
    }
    if (probability_sums != nullptr) {
      for (int i = 0; i < kCount; ++i) {
        probability_sums[i] += SumOfLanes<T>(lanes[i]) * candidates[i].step;
      }
      if (mix.has_float) probability_sums[kCount] += SumOfLanes<T>(lanes[kCount]);
    }
    if (norm_sums != nullptr) {
      norm_sums[0] += SumOfLanes<T>(lanes[kCount + 1]);
      norm_sums[1] += SumOfLanes<T>(lanes[kCount + 2]);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_MIXTURE_INL_H_
