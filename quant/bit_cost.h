// What a quantized convolution costs: BitOps, activation memory and weight memory, in two
// conventions.
//
//   ConvCost total;
//   for (const auto& [shape, a, w] : convs) total += Cost(shape, a, w, CostModel::kExact);
#ifndef QUANT_BIT_COST_H_
#define QUANT_BIT_COST_H_

#include <cstdint>

namespace quant {

enum class CostModel {
  // True counts: multiply-accumulates at every output position with groups divided out, bytes.
  kExact,
  // The published code's: no division by groups, output positions taken as input positions over
  // stride²; MACs and parameters in millions, activations in thousands, memories in bits.
  kPublished,
};

// A convolution as it ran: its weight is [out_channels, in_channels / groups, kernel_h, kernel_w].
struct ConvShape {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t kernel_h = 1;
  int64_t kernel_w = 1;
  int64_t stride_h = 1;
  int64_t stride_w = 1;
  int64_t groups = 1;
  int64_t in_h = 0;
  int64_t in_w = 0;
  int64_t out_h = 0;
  int64_t out_w = 0;

  bool operator==(const ConvShape&) const = default;
};

// Multiply-accumulates of one sample (kExact), or their published measure in millions,
// size_product (MixActivConv2d in QDARTS/model_search.py): the factor of E[a]·E[w] in a network's
// complexity. Taps on the padding count.
double Macs(const ConvShape& shape, CostModel model);

// Activation elements read by one sample (kExact), or thousands of them.
double Activations(const ConvShape& shape, CostModel model);

// Weights (kExact), or millions of them with groups ignored.
double Parameters(const ConvShape& shape, CostModel model);

// Costs add up over the convolutions of a network.
struct ConvCost {
  double bit_ops = 0;            // MACs × activation bits × weight bits
  double activation_memory = 0;  // bytes (kExact), kilobits (kPublished)
  double weight_memory = 0;      // bytes (kExact), megabits (kPublished)

  ConvCost& operator+=(const ConvCost& other);
  // How many times smaller each cost is than `reference`'s, by convention the same network's at
  // 32/32 bits.
  ConvCost CompressionFrom(const ConvCost& reference) const;
};

// The bits may be expectations over candidates.
ConvCost Cost(const ConvShape& shape, double activation_bits, double weight_bits, CostModel model);

}  // namespace quant

#endif  // QUANT_BIT_COST_H_
