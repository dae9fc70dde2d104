#include "quant/runtime/conv_kernels.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/runtime/conv_kernels.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace quant::runtime {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// At most a block, whatever the width.
using Int32s = hn::CappedTag<int32_t, kChannelBlock>;
using Doubles = hn::CappedTag<double, kChannelBlock / 2>;
using HalfFloats = hn::Rebind<float, Doubles>;  // As many as Doubles.

// Four bytes in each.
using Quads = hn::Vec<Int32s>;

HWY_INLINE Quads LoadQuads(const void* from) {
#if HWY_TARGET == HWY_SCALAR
  int32_t quad;
  std::memcpy(&quad, from, sizeof(quad));
  return hn::Set(Int32s(), quad);
#else
  return hn::BitCast(
      Int32s(), hn::LoadU(hn::Repartition<uint8_t, Int32s>(), static_cast<const uint8_t*>(from)));
#endif
}

// The same quad in each.
HWY_INLINE Quads SetQuad(const void* from) {
  int32_t quad;
  std::memcpy(&quad, from, sizeof(quad));
  return hn::Set(Int32s(), quad);
}

#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
// vpmaddwd: sum + the products of the first int16 and of the second.
HWY_INLINE Quads MulAddPairs(Quads a, Quads b, Quads sum) {
  const hn::Repartition<int16_t, Int32s> d16;
  auto unused = hn::Zero(Int32s());
  return hn::ReorderWidenMulAccumulate(Int32s(), hn::BitCast(d16, a), hn::BitCast(d16, b), sum,
                                       unused);
}
#endif

#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR && \
    HWY_TARGET != HWY_AVX3_DL
// vpmaddubsw, which Highway does not have.
HWY_INLINE Quads MulPairs(Quads a, Quads b) {
#if HWY_TARGET == HWY_AVX3
  return Quads{_mm512_maddubs_epi16(a.raw, b.raw)};
#elif HWY_TARGET == HWY_AVX2
  return Quads{_mm256_maddubs_epi16(a.raw, b.raw)};
#else
  return Quads{_mm_maddubs_epi16(a.raw, b.raw)};
#endif
}
#endif

// sum + the products of unsigned bytes a and signed ones b, four a lane.
template <bool kNarrow>
HWY_INLINE Quads DotQuads(Quads a, Quads b, Quads sum) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128 || !HWY_ARCH_X86
  const Int32s d;
  const auto low_byte = hn::Set(d, 255);
  const auto product = [](Quads u, Quads s) HWY_ATTR { return hn::Mul(u, hn::ShiftRight<24>(s)); };
  sum = hn::Add(sum, product(hn::And(a, low_byte), hn::ShiftLeft<24>(b)));
  sum = hn::Add(sum, product(hn::And(hn::ShiftRight<8>(a), low_byte), hn::ShiftLeft<16>(b)));
  sum = hn::Add(sum, product(hn::And(hn::ShiftRight<16>(a), low_byte), hn::ShiftLeft<8>(b)));
  return hn::Add(sum, product(hn::And(hn::ShiftRight<24>(a), low_byte), b));
#elif HWY_TARGET == HWY_AVX3_DL
  // Not the intrinsic: Highway's flags for this target leave avx512vnni out.
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
#else
  if constexpr (kNarrow) return MulAddPairs(MulPairs(a, b), hn::Set(Int32s(), 0x00010001), sum);
  // The even bytes as int16, then the odd ones.
  const hn::Repartition<int16_t, Int32s> d16;
  const auto b16 = hn::BitCast(d16, b);
  sum = MulAddPairs(hn::And(a, hn::Set(Int32s(), 0x00ff00ff)),
                    hn::BitCast(Int32s(), hn::ShiftRight<8>(hn::ShiftLeft<8>(b16))), sum);
  const hn::Repartition<uint16_t, Int32s> du16;
  return MulAddPairs(hn::BitCast(Int32s(), hn::ShiftRight<8>(hn::BitCast(du16, a))),
                     hn::BitCast(Int32s(), hn::ShiftRight<8>(b16)), sum);
#endif
}

// The weights 2·i − 15 of the lower four bits i of each byte.
HWY_INLINE Quads OddWeights(Quads indices) {
  const auto low = hn::And(indices, hn::Set(Int32s(), 0x0f0f0f0f));
#if HWY_TARGET == HWY_SCALAR
  int32_t quad = hn::GetLane(low);
  int8_t bytes[4];
  std::memcpy(bytes, &quad, sizeof(bytes));
  for (int8_t& byte : bytes) byte = static_cast<int8_t>(2 * byte - 15);
  std::memcpy(&quad, bytes, sizeof(bytes));
  return hn::Set(Int32s(), quad);
#else
  const hn::Repartition<int8_t, Int32s> d8;
  const auto i = hn::BitCast(d8, low);
  return hn::BitCast(Int32s(), hn::Sub(hn::Add(i, i), hn::Set(d8, 15)));
#endif
}

// How numbers are multiplied and added: what a lane of inputs and of weights is.
template <bool kNarrow, bool kHalfBytes = false>
struct Integers {
  using Input = uint8_t;
  using Weight = int8_t;
  using Sum = int32_t;
  using Tag = Int32s;
  static constexpr int64_t kStep = 4;
  static constexpr bool kTwoSteps = kHalfBytes;  // In one vector of weights.
  static HWY_INLINE Quads Broadcast(const Input* x) { return SetQuad(x); }
  static HWY_INLINE Quads Load(const void* from) { return LoadQuads(from); }
  static HWY_INLINE Quads MulAdd(Quads x, Quads w, Quads sum) {
    return DotQuads<kNarrow>(x, w, sum);
  }
};

// Products of floats are exact in float64.
struct Floats {
  using Input = float;
  using Weight = float;
  using Sum = double;
  using Tag = Doubles;
  using Vec = hn::Vec<Doubles>;
  static constexpr int64_t kStep = 1;
  static constexpr bool kTwoSteps = false;
  static HWY_INLINE Vec Broadcast(const Input* x) {
    return hn::Set(Doubles(), static_cast<double>(*x));
  }
  static HWY_INLINE Vec Load(const float* from) {
    return hn::PromoteTo(Doubles(), hn::LoadU(HalfFloats(), from));
  }
  static HWY_INLINE Vec MulAdd(Vec x, Vec w, Vec sum) { return hn::MulAdd(x, w, sum); }
};

// The sums of kCount pixels side by side, in registers.
template <class Numbers, int64_t kCount>
struct Sums {
  using Tag = typename Numbers::Tag;
  using Vec = hn::Vec<Tag>;
  using Input = typename Numbers::Input;

  HWY_INLINE void Set(Vec value) {
    first = value;
    if constexpr (kCount > 1) rest.Set(value);
  }
  // Of the same inputs for all lanes; `stride` lies between two pixels.
  HWY_INLINE void AddBroadcast(const Input* x, int64_t stride, Vec weights) {
    first = Numbers::MulAdd(Numbers::Broadcast(x), weights, first);
    if constexpr (kCount > 1) rest.AddBroadcast(x + stride, stride, weights);
  }
  // Of inputs of their own.
  HWY_INLINE void Add(const Input* x, int64_t stride, Vec weights) {
    first = Numbers::MulAdd(Numbers::Load(x), weights, first);
    if constexpr (kCount > 1) rest.Add(x + stride, stride, weights);
  }
  // Of the lanes the first `lanes`.
  HWY_INLINE void Store(typename Numbers::Sum* to, int64_t stride, int64_t lanes) const {
    const Tag d;
    if (lanes >= static_cast<int64_t>(hn::Lanes(d))) {
      hn::StoreU(first, d, to);
    } else {
      hn::BlendedStore(first, hn::FirstN(d, lanes), d, to);
    }
    if constexpr (kCount > 1) rest.Store(to + stride, stride, lanes);
  }

  struct Nothing {};
  Vec first;
  [[no_unique_address]] std::conditional_t<(kCount > 1), Sums<Numbers, kCount - 1>, Nothing> rest;
};

template <class Numbers>
struct Dense {
  using Input = typename Numbers::Input;
  const ConvGeometry& conv;
  const typename Numbers::Weight* weights;
  const int32_t* bias;       // Null for floats.
  const Input* const* rows;  // Of the window: from the first tap of the row on.
  typename Numbers::Sum* const sums;

  // kCount pixels from `column` on.
  template <int64_t kCount>
  HWY_INLINE void Tile(int64_t column) const {
    const typename Numbers::Tag d;
    const Window& window = conv.window;
    const int64_t steps = (conv.group_in() + Numbers::kStep - 1) / Numbers::kStep;
    const int64_t outputs = conv.group_out(), padded = PaddedChannels(outputs);
    const int64_t step_size = kChannelBlock * Numbers::kStep;
    const int64_t vectors = Numbers::kTwoSteps ? (steps + 1) / 2 : steps;
    const int64_t block_size = conv.taps() * vectors * step_size;
    const int64_t pixel = window.stride_w * conv.in.channels;
    for (int64_t group = 0; group < conv.groups; ++group) {
      const int64_t first = column * pixel + group * conv.group_in();
      for (int64_t o = 0; o < outputs; o += hn::Lanes(d)) {
        const auto* w = weights + (group * padded + o) / kChannelBlock * block_size +
                        o % kChannelBlock * Numbers::kStep;
        Sums<Numbers, kCount> tile;
        if constexpr (Numbers::kStep == 1) {
          tile.Set(hn::Zero(d));
        } else {
          tile.Set(hn::LoadU(d, bias + group * padded + o));
        }
        for (int64_t i = 0; i < window.kernel_h; ++i) {
          for (int64_t j = 0; j < window.kernel_w; ++j) {
            const Input* x = rows[i] + first + j * window.dilation_w * conv.in.channels;
            if constexpr (Numbers::kTwoSteps) {
              for (int64_t s = 0; s < steps; s += 2, x += 2 * Numbers::kStep, w += step_size) {
                const auto both = Numbers::Load(w);
                tile.AddBroadcast(x, pixel, OddWeights(both));
                if (s + 1 < steps)
                  tile.AddBroadcast(x + Numbers::kStep, pixel, OddWeights(hn::ShiftRight<4>(both)));
              }
            } else {
              for (int64_t s = 0; s < steps; ++s, x += Numbers::kStep, w += step_size)
                tile.AddBroadcast(x, pixel, Numbers::Load(w));
            }
          }
        }
        tile.Store(sums + column * conv.out.channels + group * outputs + o, conv.out.channels,
                   outputs - o);
      }
    }
  }

  void Row() const {
    int64_t column = 0;
    for (; column + 8 <= conv.out.width; column += 8) Tile<8>(column);
    for (; column + 4 <= conv.out.width; column += 4) Tile<4>(column);
    for (; column < conv.out.width; ++column) Tile<1>(column);
  }
};

// The rows that the windows of output row `row` meet, where they are if they need no padding, else
// in scratch.
template <typename T>
void GatherRows(const ConvGeometry& conv, const T* x, int64_t row, T zero, T* scratch,
                const T** rows) {
  const int64_t channels = conv.in.channels, width = conv.in.width, span = conv.span();
  const int64_t left = std::clamp<int64_t>(conv.window.pad_left, 0, span);
  const int64_t from = std::clamp<int64_t>(-conv.window.pad_left, 0, width);
  const int64_t count = std::min(width - from, span - left);
  for (int64_t i = 0; i < conv.window.kernel_h; ++i) {
    const int64_t y = conv.RowOfImage(row, i);
    const T* const image_row = x + (y * width + from) * channels;
    if (y >= 0 && !conv.padded()) {
      rows[i] = image_row;
      continue;
    }
    T* const to = scratch + i * (span * channels + kSlack);
    rows[i] = to;
    if (y < 0) {
      std::fill_n(to, span * channels, zero);
      continue;
    }
    std::fill_n(to, left * channels, zero);
    std::copy_n(image_row, count * channels, to + left * channels);
    std::fill_n(to + (left + count) * channels, (span - left - count) * channels, zero);
  }
}

// to[4·i + k] = rows[k][i], and more behind the end.
HWY_INLINE void Interleave(const uint8_t* const* rows, int64_t size, uint8_t* to) {
#if HWY_TARGET == HWY_SCALAR
  for (int64_t i = 0; i < size; ++i)
    for (int k = 0; k < 4; ++k) to[4 * i + k] = rows[k][i];
#else
  const hn::CappedTag<uint8_t, kSlack> d;
  for (int64_t i = 0; i < size; i += hn::Lanes(d))
    hn::StoreInterleaved4(hn::LoadU(d, rows[0] + i), hn::LoadU(d, rows[1] + i),
                          hn::LoadU(d, rows[2] + i), hn::LoadU(d, rows[3] + i), d, to + 4 * i);
#endif
}

// Elements of an interleaved row, of which each is four bytes.
HWY_INLINE int64_t QuadRow(const ConvGeometry& conv) {
  return conv.span() * conv.in.channels + 2 * kSlack;
}

// Four rows of the window at a time, interleaved; what is outside of the image is `zero`.
void GatherQuads(const ConvGeometry& conv, const uint8_t* x, int64_t row, uint8_t zero,
                 uint8_t* quads, uint8_t* outside) {
  const int64_t channels = conv.in.channels, width = conv.in.width, span = conv.span();
  const int64_t left = std::clamp<int64_t>(conv.window.pad_left, 0, span);
  const int64_t from = std::clamp<int64_t>(-conv.window.pad_left, 0, width);
  const int64_t count = std::min(width - from, span - left);
  bool outside_is_set = false;
  for (int64_t i = 0; i < conv.window.kernel_h; i += 4, quads += 4 * QuadRow(conv)) {
    const uint8_t* rows[4];
    for (int64_t k = 0; k < 4; ++k) {
      // Behind the last row, whose weights are zeros, comes any.
      const int64_t y = i + k < conv.window.kernel_h ? conv.RowOfImage(row, i + k) : -2;
      rows[k] = y == -2 ? rows[0] : y == -1 ? outside : x + (y * width + from) * channels;
      if (y == -1 && !std::exchange(outside_is_set, true))
        std::memset(outside, zero, width * channels);
    }
    Interleave(rows, count * channels, quads + 4 * left * channels);
    std::memset(quads, zero, 4 * left * channels);
    std::memset(quads + 4 * (left + count) * channels, zero, 4 * (span - left - count) * channels);
  }
}

template <class Numbers>
struct Depthwise {
  const ConvGeometry& conv;
  const IntWeights& weights;
  const uint8_t* quads;
  int32_t* const sums;

  // Elements from `first` on of kCount units.
  template <int64_t kCount>
  HWY_INLINE void Tile(int64_t unit, int64_t first, int64_t size, int64_t stride) const {
    const Int32s d;
    const Window& window = conv.window;
    const int64_t row_quads = (window.kernel_h + 3) / 4;
    const int8_t* w = weights.weights.data() +
                      first / kChannelBlock * row_quads * window.kernel_w * kChannelBlock * 4 +
                      first % kChannelBlock * 4;
    Sums<Numbers, kCount> tile;
    tile.Set(hn::LoadU(d, weights.bias.data() + first));
    for (int64_t q = 0; q < row_quads; ++q) {
      const uint8_t* x = quads + 4 * (q * QuadRow(conv) + unit * stride + first);
      for (int64_t j = 0; j < window.kernel_w; ++j, w += kChannelBlock * 4)
        tile.Add(x + 4 * j * window.dilation_w * conv.in.channels, 4 * stride, LoadQuads(w));
    }
    tile.Store(sums + unit * size + first, size, size - first);
  }

  void Row() const {
    const int64_t channels = conv.out.channels, all = conv.out.width * channels;
    const bool dense = conv.window.stride_w == 1;
    const int64_t size = dense ? RowUnit(channels) : channels;
    const int64_t stride = dense ? size : conv.window.stride_w * channels;
    for (int64_t first = 0; first < size; first += hn::Lanes(Int32s())) {
      const int64_t units = (all - first + size - 1) / size;
      int64_t unit = 0;
      for (; unit + 8 <= units; unit += 8) Tile<8>(unit, first, size, stride);
      for (; unit + 4 <= units; unit += 4) Tile<4>(unit, first, size, stride);
      for (; unit < units; ++unit) Tile<1>(unit, first, size, stride);
    }
  }
};

template <class Numbers>
HWY_INLINE void IntRow(const ConvGeometry& conv, const IntWeights& weights, const uint8_t* x,
                       int64_t row, uint8_t* scratch, int32_t* sums) {
  if (conv.depthwise()) {
    uint8_t* const quads = scratch + conv.in.width * conv.in.channels + kSlack;
    GatherQuads(conv, x, row, weights.zero, quads, scratch);
    Depthwise<Numbers>{conv, weights, quads, sums}.Row();
    return;
  }
  const uint8_t* rows[kMostKernelSide];
  GatherRows(conv, x, row, weights.zero, scratch, rows);
  Dense<Numbers>{conv, weights.weights.data(), weights.bias.data(), rows, sums}.Row();
}

void IntConvRowOf(const ConvGeometry& conv, const IntWeights& weights, const uint8_t* x,
                  int64_t row, uint8_t* scratch, int32_t* sums) {
  if (weights.half_bytes) {
    IntRow<Integers<true, true>>(conv, weights, x, row, scratch, sums);
  } else if (weights.narrow) {
    IntRow<Integers<true>>(conv, weights, x, row, scratch, sums);
  } else {
    IntRow<Integers<false>>(conv, weights, x, row, scratch, sums);
  }
}

void FloatConvRowOf(const ConvGeometry& conv, const float* weights, const float* x, int64_t row,
                    uint8_t* scratch, double* sums) {
  const float* rows[kMostKernelSide];
  GatherRows(conv, x, row, 0.0f, reinterpret_cast<float*>(scratch), rows);
  if (!conv.depthwise()) {
    Dense<Floats>{conv, weights, nullptr, rows, sums}.Row();
    return;
  }
  const Doubles d;
  const Window& window = conv.window;
  const int64_t channels = conv.out.channels, padded = PaddedChannels(channels);
  for (int64_t column = 0; column < window.out_w; ++column, sums += channels) {
    for (int64_t c = 0; c < channels; c += hn::Lanes(d)) {
      const float* w = weights + c;
      auto sum = hn::Zero(d);
      for (int64_t i = 0; i < window.kernel_h; ++i) {
        const float* const x = rows[i] + column * window.stride_w * channels + c;
        for (int64_t j = 0; j < window.kernel_w; ++j, w += padded)
          sum = Floats::MulAdd(Floats::Load(x + j * window.dilation_w * channels), Floats::Load(w),
                               sum);
      }
      hn::StoreU(sum, d, sums + c);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace quant::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quant::runtime {

HWY_EXPORT(IntConvRowOf);
HWY_EXPORT(FloatConvRowOf);

namespace {

int64_t DenseSize(const ConvGeometry& conv, int64_t step) {
  return conv.groups * PaddedChannels(conv.group_out()) * conv.taps() *
         ((conv.group_in() + step - 1) / step) * step;
}

template <typename T>
void PackDense(const ConvGeometry& conv, const std::vector<T>& weights, int64_t step, T* packed) {
  const int64_t taps = conv.taps(), inputs = conv.group_in(), outputs = conv.group_out();
  const int64_t steps = (inputs + step - 1) / step, step_size = kChannelBlock * step;
  for (int64_t o = 0; o < conv.out.channels; ++o) {
    const int64_t place = o / outputs * PaddedChannels(outputs) + o % outputs;
    T* const block = packed + place / kChannelBlock * taps * steps * step_size;
    for (int64_t i = 0; i < inputs; ++i)
      for (int64_t t = 0; t < taps; ++t)
        block[(t * steps + i / step) * step_size + place % kChannelBlock * step + i % step] =
            weights[(o * inputs + i) * taps + t];
  }
}

// As PackDense at 4 channels a step, with the index of the weight's level, of every second step in
// the upper half of the bytes of that before.
void PackHalfBytes(const ConvGeometry& conv, const std::vector<int8_t>& weights, int8_t* packed) {
  const int64_t taps = conv.taps(), inputs = conv.group_in(), outputs = conv.group_out();
  const int64_t vectors = (inputs + 7) / 8, vector_size = kChannelBlock * 4;
  for (int64_t o = 0; o < conv.out.channels; ++o) {
    const int64_t place = o / outputs * PaddedChannels(outputs) + o % outputs;
    int8_t* const block = packed + place / kChannelBlock * taps * vectors * vector_size;
    for (int64_t i = 0; i < inputs; ++i) {
      for (int64_t t = 0; t < taps; ++t) {
        const int index = (weights[(o * inputs + i) * taps + t] + 15) / 2;
        block[(t * vectors + i / 8) * vector_size + place % kChannelBlock * 4 + i % 4] |=
            static_cast<int8_t>(i / 4 % 2 == 0 ? index : index << 4);
      }
    }
  }
}

// Elements of a depthwise convolution's row that have weights of their own.
int64_t DepthwiseUnit(const ConvGeometry& conv) {
  return conv.window.stride_w == 1 ? RowUnit(conv.out.channels) : conv.out.channels;
}

void PackDepthwise(const ConvGeometry& conv, const std::vector<int8_t>& weights, int8_t* packed) {
  const int64_t kernel_h = conv.window.kernel_h, kernel_w = conv.window.kernel_w;
  const int64_t row_quads = (kernel_h + 3) / 4;
  for (int64_t e = 0; e < DepthwiseUnit(conv); ++e) {
    int8_t* const block = packed + e / kChannelBlock * row_quads * kernel_w * kChannelBlock * 4 +
                          e % kChannelBlock * 4;
    const int8_t* const from = weights.data() + e % conv.out.channels * conv.taps();
    for (int64_t i = 0; i < kernel_h; ++i)
      for (int64_t j = 0; j < kernel_w; ++j)
        block[(i / 4 * kernel_w + j) * kChannelBlock * 4 + i % 4] = from[i * kernel_w + j];
  }
}

}  // namespace

bool FitHalfBytes(const ConvGeometry& conv, int weight_bits, WeightCode code) {
  return !conv.depthwise() && conv.group_in() % 4 == 0 && weight_bits <= 4 &&
         code == WeightCode::kOdd;
}

int64_t NumPackedInts(const ConvGeometry& conv, bool half_bytes) {
  if (half_bytes)
    return conv.groups * PaddedChannels(conv.group_out()) * conv.taps() *
           ((conv.group_in() + 7) / 8) * 4;
  if (!conv.depthwise()) return DenseSize(conv, 4);
  return PaddedChannels(DepthwiseUnit(conv)) * ((conv.window.kernel_h + 3) / 4) *
         conv.window.kernel_w * 4;
}

int64_t NumPackedFloats(const ConvGeometry& conv) {
  return conv.depthwise() ? conv.taps() * PaddedChannels(conv.out.channels) : DenseSize(conv, 1);
}

IntWeights PackIntWeights(const ConvGeometry& conv, const std::vector<int8_t>& weights,
                          bool half_bytes, int32_t low, int32_t high) {
  IntWeights packed = {.half_bytes = half_bytes, .zero = static_cast<uint8_t>(-low)};
  packed.weights.resize(NumPackedInts(conv, half_bytes) + kSlack);
  const int64_t unit = conv.depthwise() ? DepthwiseUnit(conv) : conv.out.channels;
  const int64_t outputs = conv.depthwise() ? unit : conv.group_out();
  packed.bias.resize(unit / outputs * PaddedChannels(outputs) + kSlack);
  int32_t most = 0;
  const int64_t per_channel = conv.taps() * conv.group_in();
  for (int64_t e = 0; e < unit; ++e) {
    const auto from = weights.begin() + e % conv.out.channels * per_channel;
    packed.bias[e / outputs * PaddedChannels(outputs) + e % outputs] =
        low * std::accumulate(from, from + per_channel, int32_t{0});
    for (int64_t i = 0; i < per_channel; ++i) most = std::max<int32_t>(most, std::abs(from[i]));
  }
  packed.narrow = 2 * (high - low) * most <= INT16_MAX;
  if (conv.depthwise()) {
    PackDepthwise(conv, weights, packed.weights.data());
  } else if (half_bytes) {
    PackHalfBytes(conv, weights, packed.weights.data());
  } else {
    PackDense(conv, weights, /*step=*/4, packed.weights.data());
  }
  return packed;
}

std::vector<float> PackFloatWeights(const ConvGeometry& conv, const std::vector<float>& weights) {
  std::vector<float> packed(NumPackedFloats(conv) + kSlack);
  if (!conv.depthwise()) {
    PackDense(conv, weights, /*step=*/1, packed.data());
    return packed;
  }
  for (int64_t c = 0; c < conv.out.channels; ++c)
    for (int64_t t = 0; t < conv.taps(); ++t)
      packed[t * PaddedChannels(conv.out.channels) + c] = weights[c * conv.taps() + t];
  return packed;
}

int64_t IntScratchBytes(const ConvGeometry& conv) {
  if (conv.depthwise())
    return conv.in.width * conv.in.channels + kSlack +
           (conv.window.kernel_h + 3) / 4 * 4 * (conv.span() * conv.in.channels + 2 * kSlack);
  return conv.window.kernel_h * (conv.span() * conv.in.channels + kSlack);
}

int64_t FloatScratchBytes(const ConvGeometry& conv) {
  return conv.window.kernel_h * (conv.span() * conv.in.channels + kSlack) *
         static_cast<int64_t>(sizeof(float));
}

void IntConvRow(const ConvGeometry& conv, const IntWeights& weights, const uint8_t* x, int64_t row,
                uint8_t* scratch, int32_t* sums) {
  HWY_DYNAMIC_DISPATCH(IntConvRowOf)(conv, weights, x, row, scratch, sums);
}
void FloatConvRow(const ConvGeometry& conv, const float* weights, const float* x, int64_t row,
                  uint8_t* scratch, double* sums) {
  HWY_DYNAMIC_DISPATCH(FloatConvRowOf)(conv, weights, x, row, scratch, sums);
}

}  // namespace quant::runtime
#endif  // HWY_ONCE
