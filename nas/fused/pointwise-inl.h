// 1x1 convolutions: products of small matrices with planes.
#if defined(NAS_FUSED_POINTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_POINTWISE_INL_H_
#undef NAS_FUSED_POINTWISE_INL_H_
#else
#define NAS_FUSED_POINTWISE_INL_H_
#endif

#include <algorithm>
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

// For rows [m, m + kRows) of A and kVectors vectors from column j on, visits every vector of the
// product with B, whose rows are `pitch` apart: sum_k A[m + r, k] B[k, j].
// kPlain: products are rounded, for the reason that Convolve gives.
template <typename T, int kRows, int kVectors, bool kPlain, typename Visit>
HWY_INLINE void MultiplyBlock(int64_t m, int64_t inner, int64_t pitch, const T* a, const T* b,
                              int64_t j, const Visit& visit) {
  Wide<T> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Broadcast(T(0));
  }
  for (int64_t k = 0; k < inner; ++k) {
    Wide<T> right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = Load(b + k * pitch + j + v * kLanes<T>);
    for (int r = 0; r < kRows; ++r) {
      const Wide<T> left = Broadcast(a[(m + r) * inner + k]);
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] =
            kPlain ? Add(sum[r][v], Mul(left, right[v])) : MulAdd(left, right[v], sum[r][v]);
      }
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    for (int r = 0; r < kRows; ++r) visit(r, j + v * kLanes<T>, sum[r][v]);
  }
}

// The whole product of A [rows, inner] and B of `size` columns, a multiple of the lanes, whose rows
// are `pitch` apart: columns outside, so that what is read of B stays in cache for all rows.
// visit(row, column, vector).
template <typename T, bool kPlain, typename Visit>
HWY_INLINE void Multiply(int64_t rows, int64_t inner, int64_t size, int64_t pitch, const T* a,
                         const T* b, const Visit& visit) {
  const auto column = [&](auto vectors, int64_t j) HWY_ATTR {
    ForBlocks<4>(rows, [&](auto count, int64_t m) HWY_ATTR {
      MultiplyBlock<T, count(), vectors(), kPlain>(m, inner, pitch, a, b, j,
                                                   [&](int r, int64_t at, const Wide<T>& v)
                                                       HWY_ATTR { visit(m + r, at, v); });
    });
  };
  // As many sums as there are registers for.
  constexpr int kVectors = Wide<T>::kParts == 1 ? 4 : 1;
  int64_t j = 0;
  if constexpr (kVectors > 1) {
    for (; j + kVectors * kLanes<T> <= size; j += kVectors * kLanes<T>) {
      column(std::integral_constant<int, kVectors>(), j);
    }
  }
  for (; j < size; j += kLanes<T>) column(std::integral_constant<int, 1>(), j);
}

// Planes are worked on in tiles of `columns` where not all of them stay in the second cache.
template <typename T>
int64_t TileOf(int64_t channels, int64_t size, int64_t columns) {
  constexpr int64_t kCached = 65536 / sizeof(T);
  return channels * size <= kCached ? size : std::min(size, columns);
}

// Rows [m, m + kRows) of the product of A [., inner] and B of `columns` columns, whose rows are
// `pitch` apart, into `y`, whose rows are `size` apart; `lanes` += by row, lanes of its sum and of
// that of its squares, which stay in registers.
template <typename T, int kRows>
HWY_INLINE void MultiplyAndSum(int64_t m, int64_t inner, int64_t columns, int64_t pitch, const T* a,
                               const T* b, int64_t size, T* y, T* lanes) {
  constexpr int N = kInRegister<T, kLanes<T>>;
  a += m * inner;
  y += m * size;
  lanes += m * 2 * kLanes<T>;
  for (int lane = 0; lane < kLanes<T>; lane += N) {
    Wide<T, N> sum[kRows], squares[kRows];
    for (int r = 0; r < kRows; ++r) {
      sum[r] = Load<T, N>(lanes + 2 * r * kLanes<T> + lane);
      squares[r] = Load<T, N>(lanes + (2 * r + 1) * kLanes<T> + lane);
    }
    ForColumns<N>(lane, kLanes<T>, columns, [&](int64_t j, auto n) HWY_ATTR {
      Wide<T, N> product[kRows];
      for (Wide<T, N>& p : product) p = Broadcast<T, N>(0);
      for (int64_t k = 0; k < inner; ++k) {
        const Wide<T, N> right = Load<T, N>(b + k * pitch + j);
        for (int r = 0; r < kRows; ++r) {
          product[r] = Add(product[r], Mul(Broadcast<T, N>(a[r * inner + k]), right));
        }
      }
      for (int r = 0; r < kRows; ++r) {
        StoreFirst(product[r], y + r * size + j, n);
        sum[r] = Add(sum[r], product[r]);
        squares[r] = MulAdd(product[r], product[r], squares[r]);
      }
    });
    for (int r = 0; r < kRows; ++r) {
      Store(sum[r], lanes + 2 * r * kLanes<T> + lane);
      Store(squares[r], lanes + (2 * r + 1) * kLanes<T> + lane);
    }
  }
}

template <typename T>
void PointwiseForward(int64_t in, int64_t out, int64_t size, const Planes<const T>& x,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* y, double* sums, Scratch<T>& scratch) {
  // Up to so many, sums that are loaded and stored for every vector cost more than its products.
  constexpr int64_t kFewInputs = 8;
  const int64_t tile = TileOf<T>(in, size, 256);
  const int64_t pitch = RoundUp(tile, kLanes<T>);
  T* q = scratch.Get(kQuantized, in * pitch);
  // By output, lanes of its sum and of that of its squares.
  T* lanes = scratch.Get(kOutputSums, out * 2 * kLanes<T>);
  std::fill_n(lanes, out * 2 * kLanes<T>, T(0));
  for (int64_t begin = 0; begin < size; begin += tile) {
    const int64_t columns = std::min(tile, size - begin);
    for (int64_t c = 0; c < in; ++c) {
      QuantizePlane<kLanes<T>>(activation, mixture, c, Rows::Whole(columns), x[c] + begin,
                               q + c * pitch);
    }
    if (in <= kFewInputs) {
      ForBlocks<4>(out, [&](auto rows, int64_t o) HWY_ATTR {
        MultiplyAndSum<T, rows()>(o, in, columns, pitch, weights, q, size, y + begin, lanes);
      });
      continue;
    }
    Multiply<T, /*kPlain=*/true>(out, in, RoundUp(columns, kLanes<T>), pitch, weights, q,
                                 [&](int64_t o, int64_t j, const Wide<T>& v) HWY_ATTR {
                                   StoreFirst(v, y + o * size + begin + j, columns - j);
                                   T* sum = lanes + o * 2 * kLanes<T>;
                                   T* squares = sum + kLanes<T>;
                                   Store(Add(Load(sum), v), sum);
                                   Store(MulAdd(v, v, Load(squares)), squares);
                                 });
  }
  for (int64_t i = 0; i < 2 * out; ++i) sums[i] += SumOfLanes<T>(lanes + i * kLanes<T>);
}

// For some rows m of A and k of B, sums[m, k] += their products at columns [begin, end), of lanes
// `lane` to lane + N.
template <typename T, int N, int kRows, int kColumns>
HWY_INLINE void OuterProducts(int64_t m, int64_t k, int64_t columns, int64_t begin, int64_t end,
                              int lane, int64_t pitch, const T* a, const T* b, T* sums) {
  const auto at = [&](int r, int c) {
    return sums + ((m + r) * columns + k + c) * kLanes<T> + lane;
  };
  Wide<T, N> sum[kRows][kColumns];
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) sum[r][c] = Load<T, N>(at(r, c));
  }
  for (int64_t j = begin + lane; j < end; j += kLanes<T>) {
    Wide<T, N> left[kRows];
    for (int r = 0; r < kRows; ++r) left[r] = Load<T, N>(a + (m + r) * pitch + j);
    for (int c = 0; c < kColumns; ++c) {
      const Wide<T, N> right = Load<T, N>(b + (k + c) * pitch + j);
      for (int r = 0; r < kRows; ++r) sum[r][c] = MulAdd(left[r], right, sum[r][c]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) Store(sum[r][c], at(r, c));
  }
}

// sums[o, c] += lanes of the products of gy's row o and q's row c.
template <typename T>
void AddProductsInLanes(int64_t in, int64_t out, int64_t size, int64_t pitch, const T* gy,
                        const T* q, T* sums) {
  constexpr int N = kInRegister<T, kLanes<T>>;
  // As many sums as there are registers for.
  constexpr int kRows = 4, kColumns = kRegisters / 8;
  // As many columns as stay in the first cache for all rows, of which there are less than 100.
  constexpr int64_t kTile = 8 * kLanes<T>;
  for (int64_t begin = 0; begin < size; begin += kTile) {
    const int64_t end = std::min(begin + kTile, size);
    ForBlocks<kRows>(out, [&](auto rows, int64_t o) HWY_ATTR {
      ForBlocks<kColumns>(in, [&](auto columns, int64_t c) HWY_ATTR {
        for (int lane = 0; lane < kLanes<T>; lane += N) {
          OuterProducts<T, N, rows(), columns()>(o, c, in, begin, end, lane, pitch, gy, q, sums);
        }
      });
    });
  }
}

// sums[o, c] += the product of gy's row o and q's row c, pixel by pixel: vectors are of channels c,
// of which `transposed` ([size, padded_in]) has q's.
template <typename T, int kRows, int kVectors>
HWY_INLINE void AddProductsBlock(int64_t o, int64_t c, int64_t in, int64_t padded_in, int64_t size,
                                 int64_t pitch, const T* gy, const T* transposed, T* sums) {
  Wide<T> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      const int64_t first = c + v * kLanes<T>;
      sum[r][v] = LoadFirst(sums + (o + r) * in + first, in - first);
    }
  }
  for (int64_t j = 0; j < size; ++j) {
    Wide<T> right[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      right[v] = Load(transposed + j * padded_in + c + v * kLanes<T>);
    }
    for (int r = 0; r < kRows; ++r) {
      const Wide<T> left = Broadcast(gy[(o + r) * pitch + j]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = MulAdd(left, right[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      const int64_t first = c + v * kLanes<T>;
      StoreFirst(sum[r][v], sums + (o + r) * in + first, in - first);
    }
  }
}

template <typename T>
void AddProducts(int64_t in, int64_t out, int64_t size, int64_t pitch, const T* gy, const T* q,
                 T* sums, Scratch<T>& scratch) {
  const int64_t padded_in = RoundUp(in, kLanes<T>);
  T* transposed = scratch.Get(kTransposedPlanes, size * padded_in);
  for (int64_t c = 0; c < padded_in; c += kLanes<T>) {
    const int64_t count = std::min<int64_t>(kLanes<T>, in - c);
    for (int64_t j = 0; j < size; ++j) {
      T* target = transposed + j * padded_in + c;
      for (int64_t i = 0; i < count; ++i) target[i] = q[(c + i) * pitch + j];
      for (int64_t i = count; i < kLanes<T>; ++i) target[i] = 0;
    }
  }
  // As many sums as there are registers for.
  constexpr int kVectors = Wide<T>::kParts == 1 ? 3 : 1;
  ForBlocks<4>(out, [&](auto rows, int64_t o) HWY_ATTR {
    constexpr int kRows = rows();
    int64_t c = 0;
    for (; c + kVectors * kLanes<T> <= padded_in; c += kVectors * kLanes<T>) {
      AddProductsBlock<T, kRows, kVectors>(o, c, in, padded_in, size, pitch, gy, transposed, sums);
    }
    for (; c < padded_in; c += kLanes<T>) {
      AddProductsBlock<T, kRows, 1>(o, c, in, padded_in, size, pitch, gy, transposed, sums);
    }
  });
}

// As fused_kernels.h has it, with each plane of gx in `rows`.
template <typename T>
void PointwiseBackwardToRows(int64_t in, int64_t out, const Rows& rows, const Planes<const T>& x,
                             const Activation<T>& activation, const Mixture<T>& mixture,
                             const T* weights, const NormalizationGradient<T>& gradient,
                             const Planes<T>& gx, bool accumulate, double* norm_sums,
                             T* weight_sums, double* probability_sums, Scratch<T>& scratch) {
  const int64_t size = rows.count * rows.width;
  // Of whole rows, or of some of the columns of one row.
  const int64_t unit = rows.count == 1 ? kLanes<T> : rows.width;
  const int64_t tile = RoundUp(TileOf<T>(in, size, 512), unit);
  const int64_t pitch = RoundUp(tile, kLanes<T>);
  T* gy = scratch.Get(kOutputGradient, out * pitch);
  T* gq = scratch.Get(kInputGradient, in * pitch);
  T* q = weight_sums == nullptr ? nullptr : scratch.Get(kQuantized, in * pitch);
  T* transposed = scratch.Get(kTransposed, in * out);
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t c = 0; c < in; ++c) transposed[c * out + o] = weights[o * in + c];
  }
  for (int64_t begin = 0; begin < size; begin += tile) {
    const int64_t columns = std::min(tile, size - begin);
    const int64_t padded = RoundUp(columns, kLanes<T>);
    for (int64_t o = 0; o < out; ++o) {
      const Wide<T> direct = Broadcast(gradient.direct[o]), slope = Broadcast(gradient.slope[o]),
                    constant = Broadcast(gradient.constant[o]);
      const T* g = gradient.g + o * gradient.g_stride + begin;
      const T* y = gradient.y + o * size + begin;
      T* target = gy + o * pitch;
      ForColumns<kLanes<T>>(0, kLanes<T>, columns, [&](int64_t j, auto n) HWY_ATTR {
        Store(MulAdd(LoadFirst(g + j, n), direct, MulAdd(LoadFirst(y + j, n), slope, constant)),
              target + j);
      });
      std::fill(target + columns, target + padded, T(0));
    }
    Multiply<T, /*kPlain=*/false>(in, out, padded, pitch, transposed, gy,
                                  [&](int64_t c, int64_t j, const Wide<T>& v)
                                      HWY_ATTR { Store(v, gq + c * pitch + j); });
    for (int64_t c = 0; c < in; ++c) {
      T* quantized = q == nullptr ? nullptr : q + c * pitch;
      ForLanes<T>(rows.width, [&](auto lanes) HWY_ATTR {
        MixBackward<lanes()>(activation, mixture, c, rows.First(columns), x[c] + begin,
                             gq + c * pitch, gx[c] + rows.At(begin), accumulate, quantized,
                             probability_sums, norm_sums == nullptr ? nullptr : norm_sums + 2 * c);
      });
      if (q != nullptr) std::fill(quantized + columns, quantized + padded, T(0));
    }
    if (q == nullptr) continue;
    if (PointwiseLanes<T>(in) == 1) {
      AddProducts(in, out, columns, pitch, gy, q, weight_sums, scratch);
    } else {
      AddProductsInLanes(in, out, padded, pitch, gy, q, weight_sums);
    }
  }
}

template <typename T>
void PointwiseBackward(int64_t in, int64_t out, int64_t size, const Planes<const T>& x,
                       const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                       const NormalizationGradient<T>& gradient, const Planes<T>& gx,
                       bool accumulate, double* norm_sums, T* weight_sums, double* probability_sums,
                       Scratch<T>& scratch) {
  PointwiseBackwardToRows(in, out, Rows::Whole(size), x, activation, mixture, weights, gradient, gx,
                          accumulate, norm_sums, weight_sums, probability_sums, scratch);
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_POINTWISE_INL_H_
