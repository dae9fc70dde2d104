#include "data/pixels/resize_kernels.h"

#include <immintrin.h>

#include <algorithm>

namespace data {
namespace {

// Each product loses half a unit on average when it is cut to 16 bits.
int RoundingBias(int taps) { return (taps + 1) / 2; }

// A row holds v - 32768, and the weights of an output add up to 1 << 14.
constexpr int32_t kColumnBias = 32768 << 14;

void BlendRows(const uint8_t* rows, size_t stride, const uint16_t* weights, int taps, size_t count,
               int16_t* row) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t sum = RoundingBias(taps);
    for (int k = 0; k < taps; ++k) {
      sum += (uint32_t{rows[k * stride + i]} << 8) * weights[k] >> 16;
    }
    row[i] = static_cast<int16_t>(std::min<uint32_t>(sum, 65535) - 32768);
  }
}

void BlendColumns(const int16_t* row, const ColumnTaps& taps, int count, int32_t* pixels) {
  for (int i = 0; i < count; ++i) {
    const int16_t* weights = taps.weights + (i / 2 * taps.pairs * 2 + i % 2) * 8;
    for (int c = 0; c < 4; ++c) {
      int32_t sum = kColumnBias;
      for (int p = 0; p < taps.pairs; ++p) {
        const int16_t* pair = row + 4 * (taps.first[i] + 2 * p) + c;
        sum += pair[0] * weights[16 * p] + pair[4] * weights[16 * p + 1];
      }
      pixels[4 * i + c] = sum;
    }
  }
}

__attribute__((target("avx2"))) void BlendRowsAvx2(const uint8_t* rows, size_t stride,
                                                   const uint16_t* weights, int taps, size_t count,
                                                   int16_t* row) {
  const __m256i bias = _mm256_set1_epi16(RoundingBias(taps));
  const __m256i middle = _mm256_set1_epi16(-32768);
  for (size_t i = 0; i < count; i += 32) {
    __m256i low = bias, high = bias;
    const uint8_t* from = rows + i;
    for (int k = 0; k < taps; ++k, from += stride) {
      const __m256i weight = _mm256_set1_epi16(weights[k]);
      const auto* bytes = reinterpret_cast<const __m128i*>(from);
      const __m256i a = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(bytes)), 8);
      const __m256i b = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(bytes + 1)), 8);
      low = _mm256_adds_epu16(low, _mm256_mulhi_epu16(a, weight));
      high = _mm256_adds_epu16(high, _mm256_mulhi_epu16(b, weight));
    }
    auto* to = reinterpret_cast<__m256i*>(row + i);
    _mm256_storeu_si256(to, _mm256_xor_si256(low, middle));
    _mm256_storeu_si256(to + 1, _mm256_xor_si256(high, middle));
  }
}

__attribute__((target("avx2"))) void BlendColumnsAvx2(const int16_t* row, const ColumnTaps& taps,
                                                      int count, int32_t* pixels) {
  const auto* weights = reinterpret_cast<const __m256i*>(taps.weights);
  for (int i = 0; i < count; i += 2) {
    const auto* a = reinterpret_cast<const __m128i*>(row + 4 * taps.first[i]);
    const auto* b = reinterpret_cast<const __m128i*>(row + 4 * taps.first[i + 1]);
    __m256i sum = _mm256_set1_epi32(kColumnBias);
    for (int p = 0; p < taps.pairs; ++p) {
      const __m256i two = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(a + p)),
                                                  _mm_loadu_si128(b + p), 1);
      const __m256i pairs = _mm256_unpacklo_epi16(two, _mm256_srli_si256(two, 8));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_loadu_si256(weights++)));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pixels + 4 * i), sum);
  }
}

constexpr ResizeKernels kPortable = {&BlendRows, &BlendColumns};
constexpr ResizeKernels kAvx2 = {&BlendRowsAvx2, &BlendColumnsAvx2};

}  // namespace

const ResizeKernels& PortableResizeKernels() { return kPortable; }

const ResizeKernels& BestResizeKernels() {
  return __builtin_cpu_supports("avx2") ? kAvx2 : kPortable;
}

}  // namespace data
