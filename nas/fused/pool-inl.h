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

#include "hwy/highway.h"
#include "nas/fused/depthwise-inl.h"
#include "nas/fused/fused_kernels.h"
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

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_POOL_INL_H_
