// The two inner loops of resizing, in plain C++ and in AVX2, with equal results.
#ifndef DATA_PIXELS_RESIZE_KERNELS_H_
#define DATA_PIXELS_RESIZE_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace data {

// Pixels along a row, weighted. Output pixel i is the sum of 2 * pairs neighbours from first[i] on.
// Weights are 14-bit fractions and come as the AVX2 loop wants them: for outputs 2j and 2j + 1 and
// each pair of neighbours, the two weights four times over for 2j, then for 2j + 1.
struct ColumnTaps {
  const int32_t* first = nullptr;
  const int16_t* weights = nullptr;
  int pairs = 0;
};

struct ResizeKernels {
  // row[i] = sum over k of weights[k] / 65536 * rows[k * stride + i], as 8.8 fixed point less
  // 32768, for i < count. Reads and writes up to 31 elements more.
  void (*blend_rows)(const uint8_t* rows, size_t stride, const uint16_t* weights, int taps,
                     size_t count, int16_t* row);

  // `count` (even) output pixels of four numbers in kPixelShift fixed point, from such a row.
  void (*blend_columns)(const int16_t* row, const ColumnTaps& taps, int count, int32_t* pixels);
};

const ResizeKernels& PortableResizeKernels();

// The fastest that this processor runs.
const ResizeKernels& BestResizeKernels();

}  // namespace data

#endif  // DATA_PIXELS_RESIZE_KERNELS_H_
