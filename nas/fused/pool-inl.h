// Pools, which are depthwise convolutions of another kind.
#if defined(NAS_FUSED_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_POOL_INL_H_
#undef NAS_FUSED_POOL_INL_H_
#else
#define NAS_FUSED_POOL_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hwy/highway.h"
#include "nas/fused/depthwise-inl.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/halving-inl.h"
#include "nas/fused/padded_planes.h"
#include "nas/fused/wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

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

// The 3x3 windows of a pool as taps of a convolution on padded planes.
template <int kStride>
using Windows = Taps<3, 1, kStride>;

// Calls body(Windows).
template <typename Body>
HWY_INLINE void ForWindows(int stride, const Body& body) {
  if (stride == 1) return body(Windows<1>());
  body(Windows<2>());
}

// Value k of the windows of an output's row, which begins at `row`.
template <typename K, typename T>
HWY_INLINE const T* WindowValue(const PaddedPlanes& planes, const T* row, int k) {
  const int u = k / K::kernel, t = k % K::kernel;
  return row + (K::Phase(u) * K::stride + K::Phase(t)) * planes.plane +
         K::Offset(u) * planes.pitch + K::Offset(t);
}

template <typename K, typename T>
HWY_INLINE void PadForPool(const PaddedPlanes& planes, const T* x, T* padded) {
  if constexpr (K::stride == 2) return SplitPhases(planes, x, padded);
  T* row = padded + planes.origin;
  for (int64_t r = 0; r < planes.height; ++r, x += planes.width, row += planes.pitch) {
    ForColumns<kLanes<T>>(0, kLanes<T>, planes.width, [&](int64_t j, auto n) HWY_ATTR {
      StoreFirst(LoadFirst(x + j, n), row + j, n);
    });
  }
}

template <typename T>
void PoolForward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                 int64_t x_stride, T* y, Scratch<T>& scratch) {
  const PaddedPlanes planes({height, width, 3, 1, stride}, kLanes<T>);
  const int64_t padded_size = stride * stride * planes.plane;
  T* padded = scratch.Get(kPooled, padded_size);
  std::fill_n(padded, padded_size, max ? -std::numeric_limits<T>::infinity() : T(0));
  T* reciprocals = scratch.Get(kReciprocals, planes.height * planes.width);
  if (!max) WindowReciprocals(height, width, stride, reciprocals);
  ForWindows(stride, [&](auto windows) HWY_ATTR {
    using K = decltype(windows);
    for (int64_t c = 0; c < channels; ++c, x += x_stride) {
      PadForPool<K>(planes, x, padded);
      ForLanes<T>(planes.width, [&](auto lanes) HWY_ATTR {
        constexpr int N = lanes();
        const T* row = padded + planes.origin;
        const T* reciprocal = reciprocals;
        for (int64_t r = 0; r < planes.height; ++r, row += planes.pitch) {
          ForColumns<N>(0, N, planes.width, [&](int64_t j, auto n) HWY_ATTR {
            Wide<T, N> result = Load<T, N>(WindowValue<K>(planes, row + j, 0));
            for (int k = 1; k < K::count; ++k) {
              const Wide<T, N> v = Load<T, N>(WindowValue<K>(planes, row + j, k));
              result = max ? Max(result, v) : Add(result, v);
            }
            if (!max) result = Mul(result, LoadFirst<T, N>(reciprocal + j, n));
            StoreFirst(result, y + j, n);
          });
          y += planes.width;
          reciprocal += planes.width;
        }
      });
    }
  });
}

// y where `where` is `value`, else 0.
template <typename T, int N>
HWY_INLINE Wide<T, N> WhereEqual(const Wide<T, N>& where, T value, const Wide<T, N>& y) {
  Wide<T, N> r;
  WIDE_EACH(i) {
    const auto equal = hn::Eq(where.part[i], hn::Set(typename Wide<T, N>::D(), value));
    r.part[i] = hn::IfThenElseZero(equal, y.part[i]);
  }
  return r;
}
// `value` where a and b are equal, else `other`.
template <typename T, int N>
HWY_INLINE Wide<T, N> IfEqual(const Wide<T, N>& a, const Wide<T, N>& b, T value,
                              const Wide<T, N>& other) {
  Wide<T, N> r;
  WIDE_EACH(i) {
    r.part[i] = hn::IfThenElse(hn::Eq(a.part[i], b.part[i]),
                               hn::Set(typename Wide<T, N>::D(), value), other.part[i]);
  }
  return r;
}

// The gradient of a value is what the windows around it give: all of them, or those whose maximum
// it is. from: by window, padded like gy, the number of the value that is its maximum, none where
// there is no window.
template <int N, typename K, bool kMax, typename T>
HWY_INLINE Wide<T, N> GatherWindows(const PaddedPlanes& planes, int phase, const T* gy,
                                    const T* from) {
  Wide<T, N> sum = Broadcast<T, N>(0);
  for (int u = 0; u < K::kernel; ++u) {
    if (K::Phase(u) != phase / K::stride) continue;
    for (int t = 0; t < K::kernel; ++t) {
      if (K::Phase(t) != phase % K::stride) continue;
      const int64_t offset = -K::Offset(u) * planes.pitch - K::Offset(t);
      Wide<T, N> share = Load<T, N>(gy + offset);
      if constexpr (kMax) {
        share = WhereEqual(Load<T, N>(from + offset), T(u * K::kernel + t), share);
      }
      sum = Add(sum, share);
    }
  }
  return sum;
}

template <typename T>
void PoolBackward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                  int64_t x_stride, const T* y, const NormalizationGradient<T>& gradient, T* gx,
                  int64_t gx_stride, Scratch<T>& scratch) {
  const PaddedPlanes planes({height, width, 3, 1, stride}, kLanes<T>);
  const int64_t size = planes.height * planes.width, padded_size = stride * stride * planes.plane;
  const int64_t pitch = RoundUp(planes.width, kLanes<T>);
  constexpr T kNone = -1;
  T* padded = scratch.Get(kPooled, padded_size);
  if (max) std::fill_n(padded, padded_size, -std::numeric_limits<T>::infinity());
  T* padded_gy = scratch.Get(kPooledGradient, planes.plane);
  std::fill_n(padded_gy, planes.plane, T(0));
  T* from = scratch.Get(kPooledFrom, planes.plane);
  if (max) std::fill_n(from, planes.plane, kNone);
  T* split = scratch.Get(kSplit, stride * stride * planes.height * pitch);
  T* reciprocals = scratch.Get(kReciprocals, size);
  if (!max) WindowReciprocals(height, width, stride, reciprocals);
  const auto channel = [&](auto windows, auto is_max, auto lanes, int64_t c) HWY_ATTR {
    using K = decltype(windows);
    constexpr bool kMax = is_max();
    constexpr int N = lanes();
    if constexpr (kMax) PadForPool<K>(planes, x + c * x_stride, padded);
    const Wide<T, N> direct = Broadcast<T, N>(gradient.direct[c]),
                     slope = Broadcast<T, N>(gradient.slope[c]),
                     constant = Broadcast<T, N>(gradient.constant[c]);
    for (int64_t r = 0; r < planes.height; ++r) {
      ForColumns<N>(0, N, planes.width, [&](int64_t j, auto n) HWY_ATTR {
        const int64_t at = r * planes.width + j;
        const int64_t padded_at = planes.origin + r * planes.pitch + j;
        const Wide<T, N> value = LoadFirst<T, N>(y + c * size + at, n);
        Wide<T, N> gy = MulAdd(LoadFirst<T, N>(gradient.g + c * gradient.g_stride + at, n), direct,
                               MulAdd(value, slope, constant));
        if constexpr (kMax) {
          // The first of equal values.
          Wide<T, N> first = Broadcast<T, N>(kNone);
          for (int k = K::count - 1; k >= 0; --k) {
            const Wide<T, N> in_window = Load<T, N>(WindowValue<K>(planes, padded + padded_at, k));
            first = IfEqual(in_window, value, T(k), first);
          }
          StoreFirst(first, from + padded_at, n);
        } else {
          gy = Mul(gy, LoadFirst<T, N>(reciprocals + at, n));
        }
        StoreFirst(gy, padded_gy + padded_at, n);
      });
    }
    T* target = gx + c * gx_stride;
    for (int phase = 0; phase < K::stride * K::stride; ++phase) {
      for (int64_t r = 0; r < planes.height; ++r) {
        ForColumns<N>(0, N, planes.width, [&](int64_t j, auto n) HWY_ATTR {
          const int64_t padded_at = planes.origin + r * planes.pitch + j;
          const Wide<T, N> sum =
              GatherWindows<N, K, kMax>(planes, phase, padded_gy + padded_at, from + padded_at);
          if constexpr (K::stride == 1) {
            T* place = target + r * planes.width + j;
            StoreFirst(Add(LoadFirst<T, N>(place, n), sum), place, n);
          } else {
            Store(sum, split + (phase * planes.height + r) * pitch + j);
          }
        });
      }
    }
    if constexpr (K::stride == 2) JoinPhases(planes, split, pitch, /*accumulate=*/true, target);
  };
  ForWindows(stride, [&](auto windows) HWY_ATTR {
    ForLanes<T>(planes.width, [&](auto lanes) HWY_ATTR {
      for (int64_t c = 0; c < channels; ++c) {
        max ? channel(windows, std::true_type(), lanes, c)
            : channel(windows, std::false_type(), lanes, c);
      }
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_POOL_INL_H_
