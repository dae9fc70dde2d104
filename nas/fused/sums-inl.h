// Sums over planes.
#if defined(NAS_FUSED_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_SUMS_INL_H_
#undef NAS_FUSED_SUMS_INL_H_
#else
#define NAS_FUSED_SUMS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

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
      const Wide<T> term =
          kVectors == 1 ? LoadFirst(terms[i] + at, size - at) : Load(terms[i] + at);
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
void AddLanes(int64_t count, int lanes, const T* values, double* sums) {
  for (int64_t i = 0; i < count; ++i) {
    sums[i] += lanes == 1 ? values[i] : SumOfLanes(values + i * kLanes<T>);
  }
}

// Several sums, so that one addition does not wait for the last.
inline constexpr int kChains = 4;

// The sum of all, of add(j, n, sum) for every vector, of whose lanes n count.
template <typename T, typename AddTo>
HWY_INLINE double SumInChains(int64_t size, const AddTo& add) {
  Wide<T> sum[kChains];
  for (Wide<T>& s : sum) s = Broadcast(T(0));
  int64_t j = 0;
  for (; j + kChains * kLanes<T> <= size; j += kChains * kLanes<T>) {
    for (int k = 0; k < kChains; ++k) {
      sum[k] = add(j + k * kLanes<T>, std::integral_constant<int64_t, kLanes<T>>(), sum[k]);
    }
  }
  for (; j < size; j += kLanes<T>) sum[0] = add(j, size - j, sum[0]);
  return SumOfLanes(Add(Add(sum[0], sum[1]), Add(sum[2], sum[3])));
}

template <typename T>
double Sum(int64_t size, const T* x) {
  return SumInChains<T>(size, [&](int64_t j, auto n, const Wide<T>& sum)
                                  HWY_ATTR { return Add(sum, LoadFirst(x + j, n)); });
}

template <typename T>
double Dot(int64_t size, const T* x, const T* y) {
  return SumInChains<T>(size, [&](int64_t j, auto n, const Wide<T>& sum) HWY_ATTR {
    return MulAdd(LoadFirst(x + j, n), LoadFirst(y + j, n), sum);
  });
}

template <typename T>
void JoinRanges(int64_t channels, int64_t size, const Planes<const T>& x, T* ranges) {
  for (int64_t c = 0; c < channels; ++c) {
    const T* plane = x[c];
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

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_SUMS_INL_H_
