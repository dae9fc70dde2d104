// The sums of convolutions, in Highway's vectors, picked for the processor at the first call; the
// same on every instruction set, those of quant/runtime/arithmetic.h.
//
// Integers are u8 × s8 products, four of them added at once: vpdpbusd where there is one, else
// vpmaddubsw where two products cannot saturate it, else products of int16. Activations are stored
// as their level less the lowest, which for signed ones a number per output channel makes good.
#ifndef QUANT_RUNTIME_CONV_KERNELS_H_
#define QUANT_RUNTIME_CONV_KERNELS_H_

#include <cstdint>
#include <vector>

#include "quant/runtime/conv_geometry.h"

namespace quant::runtime {

// Weights as the kernels want them: [groups][blocks of output channels][taps][steps of input
// channels][16][step], zeros where there are none; a step is 4 channels of integers, 1 of floats.
// Depthwise integers come by 4 rows of the window: [blocks of RowUnit][row / 4][column][16][4];
// depthwise floats [taps][channels]. Where FitHalfBytes, two steps of dense integers share bytes.
struct IntWeights {
  std::vector<int8_t> weights = {};
  std::vector<int32_t> bias = {};  // What the sum of a stored input begins with.
  bool half_bytes = false;         // Two steps in one.
  bool narrow = false;             // Whether two products fit an int16.
  uint8_t zero = 0;                // How level 0 is stored.
};
bool FitHalfBytes(const ConvGeometry& conv, int weight_bits, WeightCode code);
int64_t NumPackedInts(const ConvGeometry& conv, bool half_bytes);
int64_t NumPackedFloats(const ConvGeometry& conv);
// The input's levels are `low` … `high`.
IntWeights PackIntWeights(const ConvGeometry& conv, const std::vector<int8_t>& weights,
                          bool half_bytes, int32_t low, int32_t high);
std::vector<float> PackFloatWeights(const ConvGeometry& conv, const std::vector<float>& weights);

// Bytes of memory that the functions below need besides.
int64_t IntScratchBytes(const ConvGeometry& conv);
int64_t FloatScratchBytes(const ConvGeometry& conv);

// The sums of output row `row`: sums[x · channels + channel].
void IntConvRow(const ConvGeometry& conv, const IntWeights& weights, const uint8_t* x, int64_t row,
                uint8_t* scratch, int32_t* sums);
void FloatConvRow(const ConvGeometry& conv, const float* weights, const float* x, int64_t row,
                  uint8_t* scratch, double* sums);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_CONV_KERNELS_H_
