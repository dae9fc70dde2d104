// Levels of so many bits, one behind the other from the lowest bit of the first byte on.
#ifndef QUANT_RUNTIME_BIT_PACKING_H_
#define QUANT_RUNTIME_BIT_PACKING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "quant/runtime/packed_network.h"

namespace quant::runtime {

inline size_t PackedBytes(size_t count, int bits) { return (count * bits + 7) / 8; }

// `weights` are values of levels of `bits` bits, 1 to 8; stored is q + 2^(bits−1).
std::string PackWeights(absl::Span<const int8_t> weights, int bits, WeightCode code);

// The first `count` weights of `bytes`, which has PackedBytes(count, bits) of them.
std::vector<int8_t> UnpackWeights(absl::Span<const uint8_t> bytes, size_t count, int bits,
                                  WeightCode code);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_BIT_PACKING_H_
