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

// q = mix(z(x)), x in rows back to back, q in `rows`; zeros behind each up to a whole number of
// vectors.
template <typename T>
HWY_NOINLINE void QuantizePlane(const Activation<T>& activation, const Mixture<T>& mixture,
                                int64_t channel, const Rows& rows, const T* x, T* q) {
  ForCount(mixture.count, [&](auto count) HWY_ATTR {
    const WideMixture<T, count()> mix(mixture, channel);
    const WideActivation<T> z(activation, channel);
    for (int64_t r = 0; r < rows.count; ++r, x += rows.width, q += rows.pitch) {
      for (int64_t j = 0; j < rows.width; j += kLanes<T>) {
        const int64_t n = rows.width - j;
        Store(KeepFirst(mix.Mixed(z.Of(z.Argument(LoadFirst(x + j, n)))), n), q + j);
      }
    }
  });
}

// From g, the gradient of mix(z(x)), to that of x: into gx, in `rows`, or added to it; x and g in
// rows back to back. With `quantized`, mix(z(x)) goes there, like x. probability_sums and norm_sums
// may be null.
template <typename T>
HWY_NOINLINE void MixBackward(const Activation<T>& activation, const Mixture<T>& mixture,
                              int64_t channel, const Rows& rows, const T* x, const T* g, T* gx,
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
    for (int64_t r = 0; r < rows.count; ++r, gx += rows.pitch) {
      for (int64_t j = 0; j < rows.width; j += kLanes<T>) {
        const int64_t n = rows.width - j, at = r * rows.width + j;
        const Wide<T> given = LoadFirst(x + at, n);
        const Wide<T> argument = z.Argument(given);
        const Wide<T> value = z.Of(argument);
        const Wide<T> gradient = LoadFirst(g + at, n);
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
          if (quantized != nullptr) StoreFirst(mixed, quantized + at, n);
        }
        Wide<T> result = Mul(gradient, slope);
        if (z.relu) result = WherePositive(argument, result);
        if (norm_sums != nullptr) {
          norm_sum = Add(norm_sum, result);
          norm_product = MulAdd(result, given, norm_product);
        }
        if (accumulate) result = Add(LoadFirst(gx + j, n), result);
        StoreFirst(result, gx + j, n);
      }
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

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_MIXTURE_INL_H_
