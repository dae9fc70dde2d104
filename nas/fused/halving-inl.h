// What stride 2 reads and writes of planes: every other pixel, and squares of two by two.
#if defined(NAS_FUSED_HALVING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_HALVING_INL_H_
#undef NAS_FUSED_HALVING_INL_H_
#else
#define NAS_FUSED_HALVING_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/padded_planes.h"
#include "nas/fused/wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

// Pairs of values side by side, in registers of their own: so many pairs at once.
template <typename T>
using PairLanes = typename Wide<T>::D;
template <typename T>
constexpr int64_t kPairs = Wide<T>::kPartLanes;

// Calls vector(j) for every kPairs pairs of `pairs`, then single(j) for those that are left.
template <typename T, typename Vector, typename Single>
HWY_INLINE void ForPairs(int64_t pairs, const Vector& vector, const Single& single) {
  int64_t j = 0;
  for (; j + kPairs<T> <= pairs; j += kPairs<T>) vector(j);
  for (; j < pairs; ++j) single(j);
}

// A compact plane of the input into the four planes of stride 2, whose padding is there already.
template <typename T>
HWY_INLINE void SplitPhases(const PaddedPlanes& planes, const T* x, T* padded) {
  const PairLanes<T> d;
  for (int64_t r = 0; r < 2 * planes.height; ++r, x += 2 * planes.width) {
    T* even = padded + planes.origin + r % 2 * 2 * planes.plane + r / 2 * planes.pitch;
    T* odd = even + planes.plane;
    ForPairs<T>(
        planes.width,
        [&](int64_t j) HWY_ATTR {
          typename Wide<T>::V first, second;
          hn::LoadInterleaved2(d, x + 2 * j, first, second);
          hn::StoreU(first, d, even + j);
          hn::StoreU(second, d, odd + j);
        },
        [&](int64_t j) HWY_ATTR {
          even[j] = x[2 * j];
          odd[j] = x[2 * j + 1];
        });
  }
}

// The reverse, from planes whose rows are `pitch` apart: into x, or added to it.
template <typename T>
HWY_INLINE void JoinPhases(const PaddedPlanes& planes, const T* phases, int64_t pitch,
                           bool accumulate, T* x) {
  const PairLanes<T> d;
  for (int64_t r = 0; r < 2 * planes.height; ++r, x += 2 * planes.width) {
    const T* even = phases + (r % 2 * 2 * planes.height + r / 2) * pitch;
    const T* odd = even + planes.height * pitch;
    ForPairs<T>(
        planes.width,
        [&](int64_t j) HWY_ATTR {
          typename Wide<T>::V first = hn::LoadU(d, even + j), second = hn::LoadU(d, odd + j);
          if (accumulate) {
            typename Wide<T>::V had_first, had_second;
            hn::LoadInterleaved2(d, x + 2 * j, had_first, had_second);
            first = hn::Add(had_first, first);
            second = hn::Add(had_second, second);
          }
          hn::StoreInterleaved2(first, second, d, x + 2 * j);
        },
        [&](int64_t j) HWY_ATTR {
          x[2 * j] = accumulate ? x[2 * j] + even[j] : even[j];
          x[2 * j + 1] = accumulate ? x[2 * j + 1] + odd[j] : odd[j];
        });
  }
}

template <typename T>
void GatherPhase(int64_t channels, int64_t height, int64_t width, int odd, const Planes<const T>& x,
                 T* phase) {
  const PairLanes<T> d;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t r = odd; r < height; r += 2, phase += width / 2) {
      const T* row = x[c] + r * width;
      ForPairs<T>(
          width / 2,
          [&](int64_t j) HWY_ATTR {
            typename Wide<T>::V first, second;
            hn::LoadInterleaved2(d, row + 2 * j, first, second);
            hn::StoreU(odd == 0 ? first : second, d, phase + j);
          },
          [&](int64_t j) HWY_ATTR { phase[j] = row[2 * j + odd]; });
    }
  }
}

template <typename T>
void ScatterPhase(int64_t channels, int64_t height, int64_t width, int odd, const T* phase,
                  const Planes<T>& gx) {
  const PairLanes<T> d;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t r = odd; r < height; r += 2, phase += width / 2) {
      T* row = gx[c] + r * width;
      ForPairs<T>(
          width / 2,
          [&](int64_t j) HWY_ATTR {
            typename Wide<T>::V first, second;
            hn::LoadInterleaved2(d, row + 2 * j, first, second);
            typename Wide<T>::V& mine = odd == 0 ? first : second;
            mine = hn::Add(mine, hn::LoadU(d, phase + j));
            hn::StoreInterleaved2(first, second, d, row + 2 * j);
          },
          [&](int64_t j) HWY_ATTR { row[2 * j + odd] += phase[j]; });
    }
  }
}

template <typename T>
void MaxOfSquares(int64_t channels, int64_t height, int64_t width, const T* x, T* y) {
  const PairLanes<T> d;
  using V = typename Wide<T>::V;
  // The greater one; NaN stays.
  const auto greater = [](V greatest, V value) HWY_ATTR {
    return hn::IfThenElse(hn::Or(hn::Gt(value, greatest), hn::Ne(value, value)), value, greatest);
  };
  for (int64_t row = 0; row < channels * height; row += 2, y += width / 2) {
    const T* upper = x + row * width;
    const T* lower = upper + width;
    ForPairs<T>(
        width / 2,
        [&](int64_t j) HWY_ATTR {
          V a, b, c, e;
          hn::LoadInterleaved2(d, upper + 2 * j, a, b);
          hn::LoadInterleaved2(d, lower + 2 * j, c, e);
          hn::StoreU(greater(greater(greater(a, b), c), e), d, y + j);
        },
        [&](int64_t j) HWY_ATTR {
          T greatest = upper[2 * j];
          for (const T value : {upper[2 * j + 1], lower[2 * j], lower[2 * j + 1]}) {
            if (value > greatest || value != value) greatest = value;
          }
          y[j] = greatest;
        });
  }
}

template <typename T>
void MaxOfSquaresBackward(int64_t channels, int64_t height, int64_t width, const T* x, const T* y,
                          const T* gy, T* gx) {
  const PairLanes<T> d;
  using V = typename Wide<T>::V;
  for (int64_t row = 0; row < channels * height; row += 2, y += width / 2, gy += width / 2) {
    const int64_t upper = row * width, lower = upper + width;
    ForPairs<T>(
        width / 2,
        [&](int64_t j) HWY_ATTR {
          const V greatest = hn::LoadU(d, y + j);
          V rest = hn::LoadU(d, gy + j);  // Becomes zero where the first of equal values was.
          for (const int64_t at : {upper + 2 * j, lower + 2 * j}) {
            V values[2], gradients[2];
            hn::LoadInterleaved2(d, x + at, values[0], values[1]);
            hn::LoadInterleaved2(d, gx + at, gradients[0], gradients[1]);
            for (int i = 0; i < 2; ++i) {
              const auto here = hn::Eq(values[i], greatest);
              gradients[i] = hn::Add(gradients[i], hn::IfThenElseZero(here, rest));
              rest = hn::IfThenZeroElse(here, rest);
            }
            hn::StoreInterleaved2(gradients[0], gradients[1], d, gx + at);
          }
        },
        [&](int64_t j) HWY_ATTR {
          for (const int64_t at :
               {upper + 2 * j, upper + 2 * j + 1, lower + 2 * j, lower + 2 * j + 1}) {
            if (x[at] != y[j]) continue;
            gx[at] += gy[j];
            break;
          }
        });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_HALVING_INL_H_
