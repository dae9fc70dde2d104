// What becomes of a row of sums or values, in Highway's vectors, picked for the processor at the
// first call; the same on every instruction set, as quant/runtime/arithmetic.h puts it.
//
// A row is so many elements, pixel after pixel; functions write up to kSlack more behind its end.
#ifndef QUANT_RUNTIME_ROW_KERNELS_H_
#define QUANT_RUNTIME_ROW_KERNELS_H_

#include <cstdint>

#include "quant/runtime/conv_geometry.h"

namespace quant::runtime {

// Scaled, then Normalized unless `norm_scale` is null; arrays as RowUnit says.
struct Finish {
  const double* scale;
  const float* norm_scale;
  const float* norm_shift;
};
void FinishRow(const Finish& finish, const int32_t* sums, int64_t size, int64_t channels,
               float* out);
void FinishRow(const Finish& finish, const double* sums, int64_t size, int64_t channels,
               float* out);

// Normalized; arrays as RowUnit says.
void NormRow(const float* scale, const float* shift, const float* x, int64_t size, int64_t channels,
             float* y);

// A level less the lowest one, straight from a sum:
//   round(clamp(float32(sum) · slope + intercept, low, high)), half to even, fused or not;
// arrays as RowUnit says.
struct LevelLine {
  const float* slope;
  const float* intercept;
  float low, high;
};
void LevelRow(const LevelLine& line, const int32_t* sums, int64_t size, int64_t channels,
              uint8_t* out);

// LevelOf, of max(x, 0) if `relu`; as bytes it is the level less the lowest one. `reciprocal` is
// that of the step where multiplication gives the same (quant/runtime/level_line.h), else 0.
void QuantizeRow(const ActivationLattice& lattice, float reciprocal, bool relu, const float* x,
                 int64_t size, uint8_t* levels);
void QuantizeRow(const ActivationLattice& lattice, bool relu, const float* x, int64_t size,
                 float* levels);

void ReluRow(const float* x, int64_t size, float* y);
void AddRow(const float* a, const float* b, int64_t size, float* y);
// sums[i] += x[i]
void AccumulateRow(const float* x, int64_t size, double* sums);

// An output row; a pixel whose window is empty is 0.
void PoolRow(Op op, const Window& window, const Shape& in, const float* x, int64_t row, float* y);

// `channels` bytes or floats of each pixel to where pixels have `stride`; writes nothing else.
void ScatterRow(const uint8_t* x, int64_t pixels, int64_t channels, int64_t stride, uint8_t* y);
void ScatterRow(const float* x, int64_t pixels, int64_t channels, int64_t stride, float* y);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_ROW_KERNELS_H_
