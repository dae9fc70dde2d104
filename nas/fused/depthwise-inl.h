// Depthwise convolutions on padded planes, row by row.
#if defined(NAS_FUSED_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_DEPTHWISE_INL_H_
#undef NAS_FUSED_DEPTHWISE_INL_H_
#else
#define NAS_FUSED_DEPTHWISE_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/halving-inl.h"
#include "nas/fused/mixture-inl.h"
#include "nas/fused/padded_planes.h"
#include "nas/fused/wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

template <int kKernel, int kDilation, int kStride>
struct Taps {
  static constexpr int kernel = kKernel, dilation = kDilation, stride = kStride;
  static constexpr int count = kKernel * kKernel;
  static constexpr int pad = kDilation * (kKernel - 1) / 2;

  // What tap u (or t) reads, from the output's row (or column) on: of which phase, and how far.
  static constexpr int Phase(int u) { return ((u * dilation - pad) % stride + stride) % stride; }
  static constexpr int Offset(int u) { return (u * dilation - pad - Phase(u)) / stride; }

  // From one tap that reads a phase to the next, in taps; one row (or column) of the phase on.
  static constexpr int kSamePhase = stride / dilation;
  // The first tap that reads `phase`; kernel, where none does.
  static constexpr int First(int phase) {
    int u = 0;
    while (u < kernel && Phase(u) != phase) ++u;
    return u;
  }
  // Of taps that read the same phase as tap `first`, it and those behind it.
  static constexpr int Count(int first) { return (kernel - first + kSamePhase - 1) / kSamePhase; }
};

// kColumns vectors side by side of each of kRows rows of the output that lie K::dilation apart at
// stride 1, else one below the other: a vector of the input is loaded once for all rows, a weight
// once for all columns. n: of how many values, at most.
// kPlain: products are rounded and added tap by tap, as a plain loop would: levels and weights come
// in a few values of both signs, and where they cancel out the sum is exactly 0, on the edge of
// what the next quantizer passes a gradient through. A fused multiply-add would leave its rounding
// there.
template <typename T, int N, typename K, bool kPlain, int kRows, int kColumns>
HWY_INLINE void ConvolveBlock(const PaddedPlanes& planes, const T* input, const Wide<T, N>* weights,
                              int64_t n, T* y, int64_t y_gap) {
  // From one row of the output to the next the input moves on by so many rows of taps.
  constexpr int kAdvance = K::stride == 1 ? 1 : K::stride / K::dilation;
  constexpr int kInputRows = kAdvance * (kRows - 1) + K::kernel;
  Pin(weights);  // They would be copied to where gcc can address them with a constant.
  Wide<T, N> sum[kRows][kColumns];
  for (auto& row : sum) {
    for (Wide<T, N>& s : row) s = Broadcast<T, N>(0);
  }
#pragma GCC unroll 16
  for (int k = 0; k < kInputRows; ++k) {
    const T* row[K::stride];  // By the phase of its columns.
    for (int phase = 0; phase < K::stride; ++phase) {
      row[phase] =
          input + (K::Phase(k) * K::stride + phase) * planes.plane + K::Offset(k) * planes.pitch;
      Pin(row[phase]);
    }
#pragma GCC unroll 8
    for (int t = 0; t < K::kernel; ++t) {
      Wide<T, N> v[kColumns];
#pragma GCC unroll 2
      for (int c = 0; c < kColumns; ++c) {
        v[c] = Load<T, N>(row[K::Phase(t)] + K::Offset(t) + c * N);
        Pin(v[c]);
      }
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const int u = k - kAdvance * r;
        if (u < 0 || u >= K::kernel) continue;
        Wide<T, N> w = weights[u * K::kernel + t];
        if (kColumns > 1) Pin(w);
#pragma GCC unroll 2
        for (int c = 0; c < kColumns; ++c) {
          sum[r][c] = kPlain ? Add(sum[r][c], Mul(w, v[c])) : MulAdd(w, v[c], sum[r][c]);
          Pin(sum[r][c]);
        }
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) StoreFirst(sum[r][c], y + r * y_gap + c * N, n - c * N);
  }
}

// y = sum over taps of weights times the padded planes of one channel; y's rows are back to back.
// kColumns: vectors to compute at once where a row has so many.
template <typename T, int N, typename K, bool kPlain, int kColumns>
HWY_NOINLINE void ConvolveIn(const PaddedPlanes& planes, const T* padded, const T* weights, T* y) {
  Wide<T, N> w[K::count];
#pragma GCC unroll 25
  for (int i = 0; i < K::count; ++i) w[i] = Broadcast<T, N>(weights[i]);
  // As many as there are registers for their sums.
  constexpr int kRows = 4;
  constexpr int64_t kGap = K::stride == 1 ? K::dilation : 1;
  for (int64_t first = 0; first < kGap; ++first) {
    const int64_t rows = (planes.height - first + kGap - 1) / kGap;
    ForBlocks<kRows>(rows, [&](auto count, int64_t i) HWY_ATTR {
      const int64_t r = first + i * kGap;
      const T* const input = padded + planes.origin + r * planes.pitch;
      T* const target = y + r * planes.width;
      const auto block = [&](auto columns, int64_t j, int64_t n) HWY_ATTR {
        ConvolveBlock<T, N, K, kPlain, count(), columns()>(planes, input + j, w, n, target + j,
                                                           kGap * planes.width);
      };
      int64_t j = 0;
      if constexpr (kColumns > 1 && count() > 1) {
        for (; j + kColumns * N <= planes.width; j += kColumns * N) {
          block(std::integral_constant<int, kColumns>(), j, kColumns * N);
        }
      }
      for (; j < planes.width; j += N) {
        block(std::integral_constant<int, 1>(), j, planes.width - j);
      }
    });
  }
}

template <typename T, typename K, bool kPlain>
HWY_INLINE void Convolve(const PaddedPlanes& planes, const T* padded, const T* weights, T* y) {
  ForLanes<T>(planes.width, [&](auto lanes) HWY_ATTR {
    // Two at once where it pays for what they take to compile.
    constexpr bool kPairs = lanes() == kLanes<T> && K::kernel < 7 && std::is_same_v<T, float>;
    ConvolveIn<T, kInRegister<T, lanes()>, K, kPlain, kPairs ? 2 : 1>(planes, padded, weights, y);
  });
}

// kRows rows of the gradient of one phase of the input at stride 2, one below the other: sums over
// the taps that read it, from one to the next of which gy moves up by one row. A vector of gy is
// loaded once for all rows.
template <typename T, int N, typename K, int kPhase, int kRows>
HWY_INLINE void ConvolveRowsBackward(int64_t gy_pitch, const T* gy, const Wide<T, N>* weights,
                                     T* gx, int64_t pitch) {
  constexpr int kTopTap = K::First(kPhase / K::stride), kLeftTap = K::First(kPhase % K::stride);
  constexpr int kTapRows = K::Count(kTopTap);
  Wide<T, N> sum[kRows];
  for (Wide<T, N>& s : sum) s = Broadcast<T, N>(0);
#pragma GCC unroll 16
  for (int k = kRows - 1; k > -kTapRows; --k) {
    const T* row = gy + (k - K::Offset(kTopTap)) * gy_pitch;
    Pin(row);
#pragma GCC unroll 8
    for (int t = kLeftTap; t < K::kernel; t += K::kSamePhase) {
      Wide<T, N> v = Load<T, N>(row - K::Offset(t));
      Pin(v);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        if (r < k || r - k >= kTapRows) continue;
        const int u = kTopTap + (r - k) * K::kSamePhase;
        sum[r] = MulAdd(weights[u * K::kernel + t], v, sum[r]);
        Pin(sum[r]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) Store(sum[r], gx + r * pitch);
}

// gx: the gradient of the input of Convolve at stride 2, phase by phase, rows `pitch` apart.
template <typename T, int N, typename K, int kPhase = 0>
HWY_INLINE void ConvolvePhasesBackward(const PaddedPlanes& planes, const T* padded_gy,
                                       const Wide<T, N>* weights, int64_t pitch, T* gx) {
  constexpr int kRows = 4;
  ForBlocks<kRows>(planes.height, [&](auto count, int64_t r) HWY_ATTR {
    const T* gy = padded_gy + planes.origin + r * planes.pitch;
    for (int64_t j = 0; j < planes.width; j += N) {
      ConvolveRowsBackward<T, N, K, kPhase, count()>(planes.pitch, gy + j, weights,
                                                     gx + r * pitch + j, pitch);
    }
  });
  if constexpr (kPhase + 1 < K::stride * K::stride) {
    ConvolvePhasesBackward<T, N, K, kPhase + 1>(planes, padded_gy, weights, pitch,
                                                gx + planes.height * pitch);
  }
}

// gx: the gradient of Convolve's input, rows back to back. `phases` is to work in.
template <typename T, typename K>
HWY_NOINLINE void ConvolveBackward(const PaddedPlanes& planes, const T* padded_gy, const T* weights,
                                   T* phases, T* gx) {
  if constexpr (K::stride == 1) {
    T flipped[K::count];
    for (int i = 0; i < K::count; ++i) flipped[i] = weights[K::count - 1 - i];
    Convolve<T, K, /*kPlain=*/false>(planes, padded_gy, flipped, gx);
  } else {
    const int64_t pitch = RoundUp(planes.width, kLanes<T>);
    ForLanes<T>(planes.width, [&](auto lanes) HWY_ATTR {
      constexpr int N = kInRegister<T, lanes()>;
      Wide<T, N> w[K::count];
      for (int i = 0; i < K::count; ++i) w[i] = Broadcast<T, N>(weights[i]);
      ConvolvePhasesBackward<T, N, K>(planes, padded_gy, w, pitch, phases);
    });
    JoinPhases(planes, phases, pitch, /*accumulate=*/false, gx);
  }
}

// For rows [first, first + kTapRows) of taps, sums[u, t] += the products of gy with what tap (u, t)
// read, of columns `lane` to lane + N of every `lanes`.
template <typename T, int N, typename K, int kTapRows>
HWY_NOINLINE void WeightGradientOfTaps(const PaddedPlanes& planes, const T* padded_gy,
                                       const T* padded, int first, int lane, int lanes, T* sums) {
  // In registers, which needs every loop over them unrolled.
  Wide<T, N> sum[kTapRows * K::kernel];
  sums += first * K::kernel * kLanes<T> + lane;
#pragma GCC unroll 25
  for (int i = 0; i < kTapRows * K::kernel; ++i) sum[i] = Load<T, N>(sums + i * kLanes<T>);
  for (int64_t r = 0; r < planes.height; ++r) {
    for (int64_t j = lane; j < planes.width; j += lanes) {
      const int64_t at = planes.origin + r * planes.pitch + j;
      if constexpr (K::stride == 1) {
        // r is the input's row: a vector of it is loaded once for all rows of taps.
        Wide<T, N> g[kTapRows];
#pragma GCC unroll 5
        for (int u = 0; u < kTapRows; ++u) {
          g[u] = Load<T, N>(padded_gy + at - K::Offset(first + u) * planes.pitch);
        }
#pragma GCC unroll 5
        for (int t = 0; t < K::kernel; ++t) {
          Wide<T, N> v = Load<T, N>(padded + at + K::Offset(t));
          Pin(v);
#pragma GCC unroll 5
          for (int u = 0; u < kTapRows; ++u) {
            sum[u * K::kernel + t] = MulAdd(g[u], v, sum[u * K::kernel + t]);
          }
        }
      } else {
        const Wide<T, N> g = Load<T, N>(padded_gy + at);
#pragma GCC unroll 5
        for (int u = 0; u < kTapRows; ++u) {
          const T* line = padded + K::Phase(first + u) * K::stride * planes.plane + at +
                          K::Offset(first + u) * planes.pitch;
#pragma GCC unroll 5
          for (int t = 0; t < K::kernel; ++t) {
            const Wide<T, N> v = Load<T, N>(line + K::Phase(t) * planes.plane + K::Offset(t));
            sum[u * K::kernel + t] = MulAdd(g, v, sum[u * K::kernel + t]);
          }
        }
      }
    }
  }
#pragma GCC unroll 25
  for (int i = 0; i < kTapRows * K::kernel; ++i) Store(sum[i], sums + i * kLanes<T>);
}

// sums[u, t] += lanes of the products of gy with what tap (u, t) read.
template <typename T, typename K>
HWY_INLINE void ConvolveWeightGradient(const PaddedPlanes& planes, const T* padded_gy,
                                       const T* padded, T* sums) {
  // As many rows as there are registers for their sums, as many vectors of gy and one of what is
  // read.
  constexpr int kTapRows = std::min(K::kernel, (kRegisters - 1) / (K::kernel + 1));
  ForLanes<T>(planes.width, [&](auto lanes) HWY_ATTR {
    constexpr int N = kInRegister<T, lanes()>;
    for (int lane = 0; lane < lanes(); lane += N) {
      ForBlocks<kTapRows>(K::kernel, [&](auto rows, int first) HWY_ATTR {
        WeightGradientOfTaps<T, N, K, rows()>(planes, padded_gy, padded, first, lane, lanes(),
                                              sums);
      });
    }
  });
}

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

// d = the convolution of one channel's plane x. Leaves the quantized plane in `padded`; `plane`,
// for stride 2, is to work in.
template <typename T, typename K>
HWY_INLINE void ConvolveChannel(const DepthwiseShape& shape, const PaddedPlanes& planes,
                                const Activation<T>& activation, const Mixture<T>& mixture,
                                int64_t channel, const T* x, const T* weights, T* plane, T* padded,
                                T* d) {
  if constexpr (K::stride == 1) {
    ForLanes<T>(planes.width, [&](auto lanes) HWY_ATTR {
      QuantizePlane<lanes()>(activation, mixture, channel, planes.rows(), x,
                             padded + planes.origin);
    });
  } else {
    QuantizePlane<kLanes<T>>(activation, mixture, channel, Rows::Whole(shape.height * shape.width),
                             x, plane);
    SplitPhases(planes, plane, padded);
  }
  Convolve<T, K, /*kPlain=*/true>(planes, padded, weights, d);
}

template <typename T>
void DepthwiseForward(const DepthwiseShape& shape, int64_t channels, const Planes<const T>& x,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* d, Scratch<T>& scratch) {
  const PaddedPlanes planes(shape, kLanes<T>);
  const int64_t in_size = shape.height * shape.width, out_size = planes.height * planes.width;
  T* padded = scratch.GetZeroed(kPaddedPlane, shape.stride * shape.stride * planes.plane, shape);
  T* plane = scratch.Get(kPlane, RoundUp(in_size, kLanes<T>));
  ForTaps(shape, [&](auto taps) HWY_ATTR {
    using K = decltype(taps);
    for (int64_t c = 0; c < channels; ++c) {
      ConvolveChannel<T, K>(shape, planes, activation, mixture, c, x[c], weights + c * K::count,
                            plane, padded, d + c * out_size);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_DEPTHWISE_INL_H_
