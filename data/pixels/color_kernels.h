// What AdjustBrightness, AdjustContrast, AdjustSaturation and AdjustHue (image_ops.h) do to each
// pixel, with the processor's widest vectors: the same bytes with all of them.
#ifndef DATA_PIXELS_COLOR_KERNELS_H_
#define DATA_PIXELS_COLOR_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace data {

// Fixed-point numbers: 1 is 1 << kColorBits. Factors are such, up to 64.
inline constexpr int kColorBits = 16;

// Of `count` bytes: value = factor · value + rest, cut to 0..255; `rest`, fixed-point, is 0 or that
// of a blend, (1 − factor) · level.
void BlendWithLevel(int32_t factor, int32_t rest, uint8_t* values, size_t count);

// Of `count` pixels of three bytes: the sum of their grays, whole levels.
int64_t SumOfGrays(const uint8_t* pixels, size_t count);

// pixel = factor · pixel + (1 − factor) · gray, cut to 0..255.
void BlendWithGrays(int32_t factor, uint8_t* pixels, size_t count);

// Turns hues by `sixths` of a turn, fixed-point, from 0 to below 6.
void TurnHues(int32_t sixths, uint8_t* pixels, size_t count);

}  // namespace data

#endif  // DATA_PIXELS_COLOR_KERNELS_H_
