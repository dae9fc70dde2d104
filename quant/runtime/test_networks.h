// Small packed networks for tests.
#ifndef QUANT_RUNTIME_TEST_NETWORKS_H_
#define QUANT_RUNTIME_TEST_NETWORKS_H_

#include <cstdint>
#include <vector>

#include "quant/runtime/packed_network.h"

namespace quant::runtime {

// Numbers that are the same everywhere.
class TestNumbers {
 public:
  explicit TestNumbers(uint64_t seed) : state_(seed * 2 + 1) {}
  uint32_t Below(uint32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33) % bound;
  }
  float Between(float low, float high) { return low + (high - low) * Below(1 << 20) / (1 << 20); }

 private:
  uint64_t state_;
};

struct TestBits {
  int activation, weight;
};

// Weights, units, normalization and activations of a convolution of `inputs` channels, which has
// its window, out_channels and groups.
void FillConv(Node& node, int64_t inputs, TestBits bits, TestNumbers& numbers);

// Every operation of the format's first version: convolutions of every kind (dense, pointwise,
// depthwise, grouped, strided, dilated, shifted), of these bits in turn, on an image of 9x10
// pixels; 5 classes.
PackedNetwork TestNetwork(uint64_t seed, const std::vector<TestBits>& bits);

// A graph of some twenty random operations that is allowed, of all kinds, shapes and bits.
PackedNetwork RandomNetwork(uint64_t seed);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_TEST_NETWORKS_H_
