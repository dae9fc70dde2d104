#include "data/pixels/color_kernels.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/pixels/color_kernels.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace data {
namespace {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::ScalableTag<int32_t>;
using Vector = hn::Vec<Lanes>;
constexpr Lanes kLanes;
constexpr hn::Rebind<uint8_t, Lanes> kBytes;

HWY_INLINE void Load(const uint8_t* pixels, Vector& red, Vector& green, Vector& blue) {
  hn::Vec<decltype(kBytes)> r, g, b;
  hn::LoadInterleaved3(kBytes, pixels, r, g, b);
  red = hn::PromoteTo(kLanes, r);
  green = hn::PromoteTo(kLanes, g);
  blue = hn::PromoteTo(kLanes, b);
}

// Cut to 0..255.
HWY_INLINE void Store(Vector red, Vector green, Vector blue, uint8_t* pixels) {
  hn::StoreInterleaved3(hn::DemoteTo(kBytes, red), hn::DemoteTo(kBytes, green),
                        hn::DemoteTo(kBytes, blue), kBytes, pixels);
}

HWY_INLINE Vector GrayOf(Vector red, Vector green, Vector blue) {
  // 0.2989, 0.587 and 0.114, rounded.
  const Vector sum =
      hn::Add(hn::Add(hn::Mul(red, hn::Set(kLanes, 19589)), hn::Mul(green, hn::Set(kLanes, 38470))),
              hn::Mul(blue, hn::Set(kLanes, 7471)));
  return hn::ShiftRight<kColorBits>(sum);
}

// Has `change` change as many pixels, of kValues bytes, as a vector has lanes after the other; the
// last ones stand in memory of their own.
template <size_t kValues, typename Change>
HWY_INLINE void ForEachVector(uint8_t* pixels, size_t count, const Change& change) {
  const size_t lanes = hn::Lanes(kLanes);
  for (; count >= lanes; count -= lanes, pixels += kValues * lanes) change(pixels);
  uint8_t last[kValues * hn::MaxLanes(kLanes)] = {};
  std::memcpy(last, pixels, kValues * count);
  change(last);
  std::memcpy(pixels, last, kValues * count);
}

void BlendWithLevel(int32_t factor, int32_t rest, uint8_t* values, size_t count) {
  const Vector own = hn::Set(kLanes, factor), others = hn::Set(kLanes, rest);
  ForEachVector<1>(values, count, [&](uint8_t* at) HWY_ATTR {
    const Vector value = hn::PromoteTo(kLanes, hn::LoadU(kBytes, at));
    const Vector sum = hn::ShiftRight<kColorBits>(hn::Add(hn::Mul(own, value), others));
    hn::StoreU(hn::DemoteTo(kBytes, sum), kBytes, at);
  });
}

int64_t SumOfGrays(const uint8_t* pixels, size_t count) {
  constexpr size_t kAtOnce = 1 << 20;  // Whose sum an int32 holds.
  const size_t lanes = hn::Lanes(kLanes);
  int64_t total = 0;
  while (count >= lanes) {
    Vector sum = hn::Zero(kLanes);
    for (size_t done = 0; count >= lanes && done < kAtOnce;
         done += lanes, count -= lanes, pixels += 3 * lanes) {
      Vector red, green, blue;
      Load(pixels, red, green, blue);
      sum = hn::Add(sum, GrayOf(red, green, blue));
    }
    total += hn::GetLane(hn::SumOfLanes(kLanes, sum));
  }
  uint8_t last[3 * hn::MaxLanes(kLanes)] = {};
  std::memcpy(last, pixels, 3 * count);
  Vector red, green, blue;
  Load(last, red, green, blue);
  return total + hn::GetLane(hn::SumOfLanes(kLanes, GrayOf(red, green, blue)));
}

void BlendWithGrays(int32_t factor, uint8_t* pixels, size_t count) {
  const Vector own = hn::Set(kLanes, factor), others = hn::Set(kLanes, (1 << kColorBits) - factor);
  ForEachVector<3>(pixels, count, [&](uint8_t* at) HWY_ATTR {
    Vector red, green, blue;
    Load(at, red, green, blue);
    const Vector gray = hn::Mul(others, GrayOf(red, green, blue));
    const auto blend = [&](Vector value) HWY_ATTR {
      return hn::ShiftRight<kColorBits>(hn::Add(hn::Mul(own, value), gray));
    };
    Store(blend(red), blend(green), blend(blue), at);
  });
}

void TurnHues(int32_t sixths, uint8_t* pixels, size_t count) {
  constexpr hn::Rebind<float, Lanes> kFloats;
  constexpr int32_t kSixth = 1 << kColorBits;
  const Vector shift = hn::Set(kLanes, sixths), turn = hn::Set(kLanes, 6 * kSixth);
  const Vector last = hn::Set(kLanes, 6 * kSixth - 1), sixth = hn::Set(kLanes, kSixth);
  const Vector zero = hn::Zero(kLanes), one = hn::Set(kLanes, 1);
  ForEachVector<3>(pixels, count, [&](uint8_t* at) HWY_ATTR {
    Vector red, green, blue;
    Load(at, red, green, blue);
    const Vector high = hn::Max(red, hn::Max(green, blue));
    const Vector low = hn::Min(red, hn::Min(green, blue));
    const Vector chroma = hn::Sub(high, low);
    const auto reddest = hn::Eq(high, red), greenest = hn::Eq(high, green);
    const Vector difference =
        hn::IfThenElse(reddest, hn::Sub(green, blue),
                       hn::IfThenElse(greenest, hn::Sub(blue, red), hn::Sub(red, green)));
    // Exact: below 2^16 floats lie closer than quotients of 255 and less to whole numbers.
    const Vector part = hn::ConvertTo(
        kLanes, hn::Div(hn::ConvertTo(kFloats, hn::ShiftLeft<kColorBits>(hn::Abs(difference))),
                        hn::ConvertTo(kFloats, hn::Max(chroma, one))));
    Vector hue = hn::IfThenElse(hn::Lt(difference, zero), hn::Sub(zero, part), part);
    hue = hn::Add(hue, hn::IfThenElse(reddest, zero,
                                      hn::IfThenElse(greenest, hn::Set(kLanes, 2 * kSixth),
                                                     hn::Set(kLanes, 4 * kSixth))));
    hue = hn::Add(hue, shift);
    hue = hn::Add(hue, hn::IfThenElseZero(hn::Lt(hue, zero), turn));
    hue = hn::Sub(hue, hn::IfThenElseZero(hn::Gt(hue, last), turn));
    const Vector number = hn::ShiftRight<kColorBits>(hue);
    const Vector rest = hn::And(hue, hn::Set(kLanes, kSixth - 1));
    const auto odd = hn::Eq(hn::And(number, one), one);
    const Vector share = hn::IfThenElse(odd, rest, hn::Sub(sixth, rest));
    const Vector middle = hn::Sub(high, hn::ShiftRight<kColorBits>(hn::Add(
                                            hn::Mul(chroma, share), hn::Set(kLanes, kSixth / 2))));
    // The highest in two sixths of a turn, then the middle for one, the lowest for two, the middle.
    const auto channel = [&](int32_t first) HWY_ATTR {
      Vector place = hn::Sub(number, hn::Set(kLanes, first));
      place = hn::Add(place, hn::IfThenElseZero(hn::Lt(place, zero), hn::Set(kLanes, 6)));
      const auto highest = hn::Lt(place, hn::Set(kLanes, 2));
      const auto lowest = hn::Eq(hn::ShiftRight<1>(hn::Sub(place, one)), one);
      return hn::IfThenElse(highest, high, hn::IfThenElse(lowest, low, middle));
    };
    Store(channel(5), channel(1), channel(3), at);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace data
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace data {
namespace {

HWY_EXPORT(BlendWithLevel);
HWY_EXPORT(SumOfGrays);
HWY_EXPORT(BlendWithGrays);
HWY_EXPORT(TurnHues);

}  // namespace

void BlendWithLevel(int32_t factor, int32_t rest, uint8_t* values, size_t count) {
  HWY_DYNAMIC_DISPATCH(BlendWithLevel)(factor, rest, values, count);
}

int64_t SumOfGrays(const uint8_t* pixels, size_t count) {
  return HWY_DYNAMIC_DISPATCH(SumOfGrays)(pixels, count);
}

void BlendWithGrays(int32_t factor, uint8_t* pixels, size_t count) {
  HWY_DYNAMIC_DISPATCH(BlendWithGrays)(factor, pixels, count);
}

void TurnHues(int32_t sixths, uint8_t* pixels, size_t count) {
  HWY_DYNAMIC_DISPATCH(TurnHues)(sixths, pixels, count);
}

}  // namespace data
#endif  // HWY_ONCE
