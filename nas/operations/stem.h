// What stands before the cells: convolutions, in float unless each is given a precision (`eight_bit`
// is then its 8-bit quantizer), with affine batch normalization, as sequences whose children are numbered as in the published
// networks.
#ifndef NAS_OPERATIONS_STEM_H_
#define NAS_OPERATIONS_STEM_H_

#include <cstdint>

#include "quant/lattice.h"
#include "torch/nn/modules/container/sequential.h"

namespace nas {

// 3x3 convolution of 3 input channels, BN; keeps the size. Feeds both inputs of the first cell.
torch::nn::Sequential CifarStem(
    int64_t channels, quant::EightBit eight_bit = quant::EightBit::kPublished);

// 3x3 stride 2 to half the channels, BN, ReLU, 3x3 stride 2, BN: a quarter of the size. Its output
// is the first cell's input 0.
torch::nn::Sequential ImageNetStem0(
    int64_t channels, quant::EightBit eight_bit = quant::EightBit::kPublished);

// ReLU, 3x3 stride 2, BN on ImageNetStem0's output: the first cell's input 1.
torch::nn::Sequential ImageNetStem1(
    int64_t channels, quant::EightBit eight_bit = quant::EightBit::kPublished);

}  // namespace nas

#endif  // NAS_OPERATIONS_STEM_H_
