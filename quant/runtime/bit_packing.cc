#include "quant/runtime/bit_packing.h"

namespace quant::runtime {

std::string PackWeights(absl::Span<const int8_t> weights, int bits, WeightCode code) {
  std::string bytes;
  bytes.reserve(PackedBytes(weights.size(), bits));
  uint32_t pending = 0;
  int filled = 0;
  for (const int8_t weight : weights) {
    const int level = code == WeightCode::kOdd ? (weight - 1) / 2 : weight;
    pending |= static_cast<uint32_t>(level + (1 << (bits - 1))) << filled;
    for (filled += bits; filled >= 8; filled -= 8, pending >>= 8)
      bytes.push_back(static_cast<char>(pending));
  }
  if (filled > 0) bytes.push_back(static_cast<char>(pending));
  return bytes;
}

std::vector<int8_t> UnpackWeights(absl::Span<const uint8_t> bytes, size_t count, int bits,
                                  WeightCode code) {
  std::vector<int8_t> weights(count);
  const uint32_t mask = (1u << bits) - 1;
  uint32_t pending = 0;
  int filled = 0;
  size_t next = 0;
  for (int8_t& weight : weights) {
    if (filled < bits) {
      pending |= static_cast<uint32_t>(bytes[next++]) << filled;
      filled += 8;
    }
    const int level = static_cast<int>(pending & mask) - (1 << (bits - 1));
    weight = static_cast<int8_t>(code == WeightCode::kOdd ? 2 * level + 1 : level);
    pending >>= bits;
    filled -= bits;
  }
  return weights;
}

}  // namespace quant::runtime
