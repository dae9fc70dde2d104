// Depthwise convolutions along the memory of padded planes.
#if defined(NAS_FUSED_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_DEPTHWISE_INL_H_
#undef NAS_FUSED_DEPTHWISE_INL_H_
#else
#define NAS_FUSED_DEPTHWISE_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/mixture-inl.h"
#include "nas/fused/padded_planes.h"
#include "nas/fused/wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

// Rows of `width` values from one pitch to another.
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

// The reverse of Pad, from flat planes that begin at the first pixel, `flat_phase` apart.
template <typename T>
HWY_INLINE void Unpad(const DepthwiseShape& shape, const PaddedPlanes& planes, const T* flat,
                      int64_t flat_phase, T* x) {
  if (shape.stride == 1) {
    return CopyRows(planes.height, planes.width, flat, planes.pitch, x, shape.width);
  }
  for (int64_t r = 0; r < planes.height; ++r) {
    for (int phase = 0; phase < 4; ++phase) {
      const T* source = flat + phase * flat_phase + r * planes.pitch;
      T* target = x + (2 * r + phase / 2) * shape.width + phase % 2;
      for (int64_t c = 0; c < planes.width; ++c) target[2 * c] = source[c];
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

// d = the convolution of one channel's plane x. Leaves the quantized plane in `padded`; `plane` and
// `flat` are to work in.
template <typename T, typename K>
HWY_INLINE void ConvolveChannel(const DepthwiseShape& shape, const PaddedPlanes& planes,
                                const Activation<T>& activation, const Mixture<T>& mixture,
                                int64_t channel, const T* x, const T* weights, T* plane, T* padded,
                                T* flat, T* d) {
  QuantizePlane(activation, mixture, channel, shape.height * shape.width, x, plane);
  Pad(shape, planes, plane, padded);
  Convolve<T, K::kernel, K::dilation, K::stride>(planes, padded, weights, flat);
  CopyRows(planes.height, planes.width, flat, planes.pitch, d, planes.width);
}

template <typename T>
void DepthwiseForward(const DepthwiseShape& shape, int64_t channels, const T* x, int64_t x_stride,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* d, Scratch<T>& scratch) {
  const PaddedPlanes planes(shape, kLanes<T>);
  const int64_t in_size = shape.height * shape.width, out_size = planes.height * planes.width;
  T* padded = scratch.GetZeroed(kPaddedPlane, shape.stride * shape.stride * planes.plane, shape);
  T* plane = scratch.Get(kPlane, RoundUp(in_size, kLanes<T>));
  T* flat = scratch.Get(kFlat, planes.plane);
  ForTaps(shape, [&](auto taps) HWY_ATTR {
    using K = decltype(taps);
    for (int64_t c = 0; c < channels; ++c) {
      ConvolveChannel<T, K>(shape, planes, activation, mixture, c, x + c * x_stride,
                            weights + c * K::kernel * K::kernel, plane, padded, flat,
                            d + c * out_size);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_DEPTHWISE_INL_H_
