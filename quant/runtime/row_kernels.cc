#include "quant/runtime/row_kernels.h"

#include <algorithm>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/runtime/row_kernels.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace quant::runtime {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Int32s = hn::CappedTag<int32_t, kChannelBlock>;
using Floats = hn::Rebind<float, Int32s>;
using Bytes = hn::Rebind<uint8_t, Int32s>;  // As many.
using Doubles = hn::CappedTag<double, kChannelBlock / 2>;
using HalfFloats = hn::Rebind<float, Doubles>;  // As many as Doubles.
using HalfInt32s = hn::Rebind<int32_t, Doubles>;

// Of numbers from 0 to 255.
HWY_INLINE void StoreBytes(hn::Vec<Int32s> numbers, uint8_t* to) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  // One instruction, where Highway's DemoteTo is three.
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(numbers.raw));
#else
  hn::StoreU(hn::DemoteTo(Bytes(), numbers), Bytes(), to);
#endif
}

// Calls body(element, channel) for vectors of `lanes`.
template <typename Body>
HWY_INLINE void ForRow(int64_t size, int64_t channels, int64_t lanes, const Body& body) {
  const int64_t unit = RowUnit(channels);
  for (int64_t first = 0; first < size; first += unit) {
    const int64_t end = std::min(unit, size - first);
    for (int64_t c = 0; c < end; c += lanes) body(first + c, c);
  }
}

HWY_INLINE hn::Vec<Doubles> LoadDoubles(const float* from) {
  return hn::PromoteTo(Doubles(), hn::LoadU(HalfFloats(), from));
}
HWY_INLINE hn::Vec<Doubles> LoadSums(const int32_t* from) {
  return hn::PromoteTo(Doubles(), hn::LoadU(HalfInt32s(), from));
}
HWY_INLINE hn::Vec<Doubles> LoadSums(const double* from) { return hn::LoadU(Doubles(), from); }

template <typename T>
HWY_INLINE void FinishPixels(const Finish& finish, const T* sums, int64_t size, int64_t channels,
                             float* out) {
  const Doubles d;
  const HalfFloats df;
  ForRow(size, channels, hn::Lanes(d), [&](int64_t i, int64_t c) HWY_ATTR {
    auto t = hn::DemoteTo(df, hn::Mul(LoadSums(sums + i), hn::LoadU(d, finish.scale + c)));
    if (finish.norm_scale != nullptr) {
      const auto scaled = hn::Mul(hn::PromoteTo(d, t), LoadDoubles(finish.norm_scale + c));
      t = hn::DemoteTo(df, hn::Add(scaled, LoadDoubles(finish.norm_shift + c)));
    }
    hn::StoreU(t, df, out + i);
  });
}

void FinishIntRow(const Finish& finish, const int32_t* sums, int64_t size, int64_t channels,
                  float* out) {
  FinishPixels(finish, sums, size, channels, out);
}
void FinishFloatRow(const Finish& finish, const double* sums, int64_t size, int64_t channels,
                    float* out) {
  FinishPixels(finish, sums, size, channels, out);
}

void NormRowOf(const float* scale, const float* shift, const float* x, int64_t size,
               int64_t channels, float* y) {
  const HalfFloats df;
  ForRow(size, channels, hn::Lanes(df), [&](int64_t i, int64_t c) HWY_ATTR {
    const auto scaled = hn::Mul(LoadDoubles(x + i), LoadDoubles(scale + c));
    hn::StoreU(hn::DemoteTo(df, hn::Add(scaled, LoadDoubles(shift + c))), df, y + i);
  });
}

void LevelRowOf(const LevelLine& line, const int32_t* sums, int64_t size, int64_t channels,
                uint8_t* out) {
  const Int32s d;
  const Floats df;
  const auto low = hn::Set(df, line.low), high = hn::Set(df, line.high);
  ForRow(size, channels, hn::Lanes(d), [&](int64_t i, int64_t c) HWY_ATTR {
    const auto sum = hn::ConvertTo(df, hn::LoadU(d, sums + i));
    const auto level =
        hn::MulAdd(sum, hn::LoadU(df, line.slope + c), hn::LoadU(df, line.intercept + c));
    const auto clamped = hn::Min(hn::Max(level, low), high);
    StoreBytes(hn::NearestInt(clamped), out + i);
  });
}

HWY_INLINE hn::Vec<Floats> Levels(const ActivationLattice& lattice, bool relu, const float* x) {
  const Floats d;
  auto v = hn::LoadU(d, x);
  if (relu) v = hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Zero(d));
  v = hn::Div(v, hn::Set(d, lattice.step));
  const auto low = hn::Set(d, static_cast<float>(lattice.low));
  const auto high = hn::Set(d, static_cast<float>(lattice.high));
  v = hn::IfThenElse(hn::Ge(v, low), v, low);
  v = hn::IfThenElse(hn::Le(v, high), v, high);
  const auto shift = hn::Set(d, 12582912.0f);  // kRoundingShift
  return hn::Sub(hn::Add(v, shift), shift);
}

void QuantizeByDivision(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                        uint8_t* levels) {
  const Int32s d;
  const auto low = hn::Set(d, lattice.low);
  for (int64_t i = 0; i < size; i += hn::Lanes(d)) {
    const auto level = hn::ConvertTo(d, Levels(lattice, relu, x + i));
    StoreBytes(hn::Sub(level, low), levels + i);
  }
}

void QuantizeToBytes(const ActivationLattice& lattice, float reciprocal, bool relu, const float* x,
                     int64_t size, uint8_t* levels) {
#if HWY_NATIVE_FMA
  if (reciprocal == 0) return QuantizeByDivision(lattice, relu, x, size, levels);
  const Int32s d;
  const Floats df;
  const auto least = hn::Set(df, relu ? 0.0f : lattice.low * lattice.step);
  const auto most = hn::Set(df, lattice.high * lattice.step);
  const auto step = hn::Set(df, lattice.step), inverse = hn::Set(df, reciprocal);
  const auto low = hn::Set(d, lattice.low);
  for (int64_t i = 0; i < size; i += hn::Lanes(d)) {
    auto v = hn::LoadU(df, x + i);
    v = hn::IfThenElse(hn::Ge(v, least), v, least);
    v = hn::Min(v, most);
    // The quotient, and what it is short of.
    auto quotient = hn::Mul(v, inverse);
    quotient = hn::MulAdd(hn::NegMulAdd(quotient, step, v), inverse, quotient);
    StoreBytes(hn::Sub(hn::NearestInt(quotient), low), levels + i);
  }
#else
  QuantizeByDivision(lattice, relu, x, size, levels);
#endif
}

void QuantizeToFloats(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                      float* levels) {
  const Floats d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d))
    hn::StoreU(Levels(lattice, relu, x + i), d, levels + i);
}

void ReluRowOf(const float* x, int64_t size, float* y) {
  const Floats d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d)) {
    const auto v = hn::LoadU(d, x + i);
    hn::StoreU(hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Zero(d)), d, y + i);
  }
}

void AddRowOf(const float* a, const float* b, int64_t size, float* y) {
  const Floats d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d))
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
}

void AccumulateRowOf(const float* x, int64_t size, double* sums) {
  const Doubles d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d))
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), LoadDoubles(x + i)), d, sums + i);
}

// `size` elements, of windows of `taps` taps of which `count` are inside.
HWY_INLINE void PoolElements(Op op, const float* const* inside, int64_t count, int64_t taps,
                             int64_t size, float* y) {
  const Floats d;
  const bool mean = op != Op::kMaxPool;
  const auto divisor = hn::Set(d, static_cast<float>(op == Op::kAvgPool ? count : taps));
  for (int64_t c = 0; c < size; c += hn::Lanes(d)) {
    auto v = hn::Zero(d);
    for (int64_t t = 0; t < count; ++t) {
      const auto x = hn::LoadU(d, inside[t] + c);
      if (mean) {
        v = hn::Add(v, x);
      } else {
        v = t == 0 ? x : hn::IfThenElse(hn::Gt(x, v), x, v);
      }
    }
    if (mean && count > 0) v = hn::Div(v, divisor);
    hn::StoreU(v, d, y + c);
  }
}

void PoolRowOf(Op op, const Window& window, const Shape& in, const float* x, int64_t row,
               float* y) {
  const ConvGeometry conv = {.in = in, .window = window};
  const float* inside[kMostTaps];
  // Of columns with all taps inside, one after the other, elements lie side by side.
  const int64_t reach = int64_t{window.kernel_w - 1} * window.dilation_w;
  const int64_t first_whole = std::max(window.pad_left, 0);
  const int64_t whole = window.stride_w == 1 ? in.width - reach + window.pad_left : 0;
  for (int64_t column = 0; column < window.out_w;) {
    int64_t count = 0;
    for (int64_t i = 0; i < window.kernel_h; ++i) {
      const int64_t v = conv.RowOfImage(row, i);
      for (int64_t j = 0; j < window.kernel_w && v >= 0; ++j) {
        const int64_t u = column * window.stride_w - window.pad_left + j * window.dilation_w;
        if (0 <= u && u < in.width) inside[count++] = x + (v * in.width + u) * in.channels;
      }
    }
    const int64_t columns = column >= first_whole && column < whole
                                ? std::min<int64_t>(whole, window.out_w) - column
                                : 1;
    PoolElements(op, inside, count, conv.taps(), columns * in.channels, y + column * in.channels);
    column += columns;
  }
}

template <class Tag, typename T = hn::TFromD<Tag>>
HWY_INLINE void ScatterPixels(Tag d, const T* x, int64_t pixels, int64_t channels, int64_t stride,
                              T* y) {
  const int64_t lanes = hn::Lanes(d);
  for (int64_t p = 0; p < pixels; ++p, x += channels, y += stride) {
    if (channels < lanes) {
      std::copy_n(x, channels, y);
      continue;
    }
    for (int64_t c = 0; c + lanes <= channels; c += lanes)
      hn::StoreU(hn::LoadU(d, x + c), d, y + c);
    // The last ones, some of them again.
    hn::StoreU(hn::LoadU(d, x + channels - lanes), d, y + channels - lanes);
  }
}

void ScatterBytes(const uint8_t* x, int64_t pixels, int64_t channels, int64_t stride, uint8_t* y) {
  ScatterPixels(Bytes(), x, pixels, channels, stride, y);
}
void ScatterFloats(const float* x, int64_t pixels, int64_t channels, int64_t stride, float* y) {
  ScatterPixels(Floats(), x, pixels, channels, stride, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace quant::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quant::runtime {

HWY_EXPORT(FinishIntRow);
HWY_EXPORT(FinishFloatRow);
HWY_EXPORT(LevelRowOf);
HWY_EXPORT(NormRowOf);
HWY_EXPORT(QuantizeToBytes);
HWY_EXPORT(QuantizeToFloats);
HWY_EXPORT(ReluRowOf);
HWY_EXPORT(AddRowOf);
HWY_EXPORT(AccumulateRowOf);
HWY_EXPORT(PoolRowOf);
HWY_EXPORT(ScatterBytes);
HWY_EXPORT(ScatterFloats);

void FinishRow(const Finish& finish, const int32_t* sums, int64_t size, int64_t channels,
               float* out) {
  HWY_DYNAMIC_DISPATCH(FinishIntRow)(finish, sums, size, channels, out);
}
void FinishRow(const Finish& finish, const double* sums, int64_t size, int64_t channels,
               float* out) {
  HWY_DYNAMIC_DISPATCH(FinishFloatRow)(finish, sums, size, channels, out);
}
void NormRow(const float* scale, const float* shift, const float* x, int64_t size, int64_t channels,
             float* y) {
  HWY_DYNAMIC_DISPATCH(NormRowOf)(scale, shift, x, size, channels, y);
}
void LevelRow(const LevelLine& line, const int32_t* sums, int64_t size, int64_t channels,
              uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(LevelRowOf)(line, sums, size, channels, out);
}
void QuantizeRow(const ActivationLattice& lattice, float reciprocal, bool relu, const float* x,
                 int64_t size, uint8_t* levels) {
  HWY_DYNAMIC_DISPATCH(QuantizeToBytes)(lattice, reciprocal, relu, x, size, levels);
}
void QuantizeRow(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                 float* levels) {
  HWY_DYNAMIC_DISPATCH(QuantizeToFloats)(lattice, relu, x, size, levels);
}
void ReluRow(const float* x, int64_t size, float* y) {
  HWY_DYNAMIC_DISPATCH(ReluRowOf)(x, size, y);
}
void AddRow(const float* a, const float* b, int64_t size, float* y) {
  HWY_DYNAMIC_DISPATCH(AddRowOf)(a, b, size, y);
}
void AccumulateRow(const float* x, int64_t size, double* sums) {
  HWY_DYNAMIC_DISPATCH(AccumulateRowOf)(x, size, sums);
}
void PoolRow(Op op, const Window& window, const Shape& in, const float* x, int64_t row, float* y) {
  HWY_DYNAMIC_DISPATCH(PoolRowOf)(op, window, in, x, row, y);
}
void ScatterRow(const uint8_t* x, int64_t pixels, int64_t channels, int64_t stride, uint8_t* y) {
  HWY_DYNAMIC_DISPATCH(ScatterBytes)(x, pixels, channels, stride, y);
}
void ScatterRow(const float* x, int64_t pixels, int64_t channels, int64_t stride, float* y) {
  HWY_DYNAMIC_DISPATCH(ScatterFloats)(x, pixels, channels, stride, y);
}

}  // namespace quant::runtime
#endif  // HWY_ONCE
