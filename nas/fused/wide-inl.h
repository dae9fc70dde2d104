// Vectors of 64 bytes, or of less for narrow planes, in as many registers as the machine needs for
// them.
#if defined(NAS_FUSED_WIDE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_WIDE_INL_H_
#undef NAS_FUSED_WIDE_INL_H_
#else
#define NAS_FUSED_WIDE_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "nas/fused/fused_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T, int N = kLanes<T>>
struct Wide {
  using D = hn::CappedTag<T, N>;
  using V = hn::Vec<D>;
  static constexpr int kPartLanes = static_cast<int>(hn::MaxLanes(D()));
  static constexpr int kParts = N / kPartLanes;
  V part[kParts];
};

// Of vectors.
inline constexpr int kRegisters = HWY_TARGET == HWY_AVX2 ? 16 : 32;

#define WIDE_EACH(i) for (int i = 0; i < Wide<T, N>::kParts; ++i)

template <typename T, int N = kLanes<T>>
HWY_INLINE Wide<T, N> Broadcast(T value) {
  Wide<T, N> r;
  WIDE_EACH(i) r.part[i] = hn::Set(typename Wide<T, N>::D(), value);
  return r;
}
template <typename T, int N = kLanes<T>>
HWY_INLINE Wide<T, N> Load(const T* p) {
  Wide<T, N> r;
  WIDE_EACH(i) r.part[i] = hn::LoadU(typename Wide<T, N>::D(), p + i * Wide<T, N>::kPartLanes);
  return r;
}
template <typename T, int N>
HWY_INLINE void Store(const Wide<T, N>& v, T* p) {
  WIDE_EACH(i) hn::StoreU(v.part[i], typename Wide<T, N>::D(), p + i * Wide<T, N>::kPartLanes);
}
// Computes v here, once, and behind what is pinned before it: gcc would else read it from memory
// again for every use, and compute sums that do not wait for each other one after the other.
template <typename T, int N>
HWY_INLINE void Pin(Wide<T, N>& v) {
#if HWY_TARGET == HWY_NEON
#define WIDE_REGISTER "+w"
#elif HWY_TARGET == HWY_AVX2
#define WIDE_REGISTER "+x"
#else
#define WIDE_REGISTER "+v"
#endif
  WIDE_EACH(i) asm volatile("" : WIDE_REGISTER(v.part[i].raw));
#undef WIDE_REGISTER
}
// The same for an address that many reads lie at constant distances from.
template <typename T>
HWY_INLINE void Pin(const T*& p) {
  asm volatile("" : "+r"(p));
}
// Whether a masked access leaves memory behind the mask alone. AVX2's does, of float and double.
#define WIDE_MASKS (HWY_TARGET == HWY_AVX2 || (HWY_ARCH_X86 && !HWY_MEM_OPS_MIGHT_FAULT))

// How many of the first n lanes lie in part i.
template <typename T, int N>
HWY_INLINE size_t LanesOfPart(int i, int64_t n) {
  constexpr int64_t kPartLanes = Wide<T, N>::kPartLanes;
  return static_cast<size_t>(std::clamp<int64_t>(n - i * kPartLanes, 0, kPartLanes));
}
// The first n lanes, or all; the others are zero.
template <typename T, int N = kLanes<T>>
HWY_INLINE Wide<T, N> LoadFirst(const T* p, int64_t n) {
  if (HWY_LIKELY(n >= N)) return Load<T, N>(p);
#if WIDE_MASKS
  Wide<T, N> r;
  WIDE_EACH(i) {
    const typename Wide<T, N>::D d;
    r.part[i] =
        hn::MaskedLoad(hn::FirstN(d, LanesOfPart<T, N>(i, n)), d, p + i * Wide<T, N>::kPartLanes);
  }
  return r;
#else
  T lanes[N] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
  return Load<T, N>(lanes);
#endif
}
template <typename T, int N>
HWY_INLINE void StoreFirst(const Wide<T, N>& v, T* p, int64_t n) {
  if (HWY_LIKELY(n >= N)) return Store(v, p);
#if WIDE_MASKS
  WIDE_EACH(i) {
    const typename Wide<T, N>::D d;
    hn::BlendedStore(v.part[i], hn::FirstN(d, LanesOfPart<T, N>(i, n)), d,
                     p + i * Wide<T, N>::kPartLanes);
  }
#else
  T lanes[N];
  Store(v, lanes);
  for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
#endif
}
// The first n lanes of v, or all; zeros behind them.
template <typename T, int N>
HWY_INLINE Wide<T, N> KeepFirst(const Wide<T, N>& v, int64_t n) {
  if (HWY_LIKELY(n >= N)) return v;
  Wide<T, N> r;
  WIDE_EACH(i) {
    r.part[i] = hn::IfThenElseZero(hn::FirstN(typename Wide<T, N>::D(), LanesOfPart<T, N>(i, n)),
                                   v.part[i]);
  }
  return r;
}
#undef WIDE_MASKS

#define WIDE_BINARY(Name)                                                \
  template <typename T, int N>                                           \
  HWY_INLINE Wide<T, N> Name(const Wide<T, N>& a, const Wide<T, N>& b) { \
    Wide<T, N> r;                                                        \
    WIDE_EACH(i) r.part[i] = hn::Name(a.part[i], b.part[i]);             \
    return r;                                                            \
  }
WIDE_BINARY(Add)
WIDE_BINARY(Sub)
WIDE_BINARY(Mul)
// Of a NaN and a number, b, on x86.
WIDE_BINARY(Min)
WIDE_BINARY(Max)
#undef WIDE_BINARY

template <typename T, int N>
HWY_INLINE Wide<T, N> MulAdd(const Wide<T, N>& a, const Wide<T, N>& b, const Wide<T, N>& c) {
  Wide<T, N> r;
  WIDE_EACH(i) r.part[i] = hn::MulAdd(a.part[i], b.part[i], c.part[i]);
  return r;
}
template <typename T, int N>
HWY_INLINE Wide<T, N> Round(const Wide<T, N>& a) {
  Wide<T, N> r;
  WIDE_EACH(i) r.part[i] = hn::Round(a.part[i]);
  return r;
}
// value where low <= x <= high, else 0.
template <typename T, int N>
HWY_INLINE Wide<T, N> Within(const Wide<T, N>& x, const Wide<T, N>& low, const Wide<T, N>& high,
                             const Wide<T, N>& value) {
  Wide<T, N> r;
  WIDE_EACH(i) {
    const auto inside = hn::And(hn::Ge(x.part[i], low.part[i]), hn::Le(x.part[i], high.part[i]));
    r.part[i] = hn::IfThenElseZero(inside, value.part[i]);
  }
  return r;
}
// value where x <= high, else 0.
template <typename T, int N>
HWY_INLINE Wide<T, N> UpTo(const Wide<T, N>& x, const Wide<T, N>& high, const Wide<T, N>& value) {
  Wide<T, N> r;
  WIDE_EACH(i) { r.part[i] = hn::IfThenElseZero(hn::Le(x.part[i], high.part[i]), value.part[i]); }
  return r;
}
// value where x > 0, else 0.
template <typename T, int N>
HWY_INLINE Wide<T, N> WherePositive(const Wide<T, N>& x, const Wide<T, N>& value) {
  Wide<T, N> r;
  WIDE_EACH(i) {
    r.part[i] =
        hn::IfThenElseZero(hn::Gt(x.part[i], hn::Zero(typename Wide<T, N>::D())), value.part[i]);
  }
  return r;
}

// Calls body(std::integral_constant of the lanes of vectors for rows of `width`): of a narrow plane
// half of a whole one would lie behind its rows.
template <typename T, typename Body>
HWY_INLINE void ForLanes(int64_t width, const Body& body) {
  if (width <= kLanes<T> / 2) return body(std::integral_constant<int, kLanes<T> / 2>());
  body(std::integral_constant<int, kLanes<T>>());
}

// Calls body(std::integral_constant of how many, first) for every kMany of `count`, then for each
// of those that are left.
template <int kMany, typename Body>
HWY_INLINE void ForBlocks(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + kMany <= count; i += kMany) body(std::integral_constant<int, kMany>(), i);
  for (; i < count; ++i) body(std::integral_constant<int, 1>(), i);
}

// Calls body(j, n) for vectors of N of the `width` values of a row, at j = first, first + stride, …,
// with how many of the values lie in each: of all but the last a constant, which spares the body
// the question whether a vector is whole.
template <int N, typename Body>
HWY_INLINE void ForColumns(int64_t first, int64_t stride, int64_t width, const Body& body) {
  int64_t j = first;
  for (; j + N <= width; j += stride) body(j, std::integral_constant<int64_t, N>());
  if (j < width) body(j, width - j);
}

// So many of them as one register holds.
template <typename T, int N>
constexpr int kInRegister = N < Wide<T>::kPartLanes ? N : Wide<T>::kPartLanes;

// In one order: halves added to halves.
template <typename T, int N = kLanes<T>>
HWY_INLINE double SumOfLanes(const T* lanes) {
  double s[N / 2];
  for (int i = 0; i < N / 2; ++i) s[i] = static_cast<double>(lanes[i]) + lanes[i + N / 2];
  for (int n = N / 4; n > 0; n /= 2) {
    for (int i = 0; i < n; ++i) s[i] += s[i + n];
  }
  return s[0];
}
template <typename T, int N>
HWY_INLINE double SumOfLanes(const Wide<T, N>& v) {
  T lanes[N];
  Store(v, lanes);
  return SumOfLanes<T, N>(lanes);
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_WIDE_INL_H_
