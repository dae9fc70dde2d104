#include "quant/bit_cost.h"

namespace quant {

double Macs(const ConvShape& shape, CostModel model) {
  if (model == CostModel::kExact) {
    return Parameters(shape, model) * shape.out_h * shape.out_w;
  }
  return Parameters(shape, model) / (shape.stride_h * shape.stride_w) * shape.in_h * shape.in_w;
}

double Activations(const ConvShape& shape, CostModel model) {
  const double count = shape.in_channels * shape.in_h * shape.in_w;
  return model == CostModel::kExact ? count : count * 1e-3;
}

double Parameters(const ConvShape& shape, CostModel model) {
  const double dense = shape.in_channels * shape.out_channels * shape.kernel_h * shape.kernel_w;
  return model == CostModel::kExact ? dense / shape.groups : dense * 1e-6;
}

ConvCost& ConvCost::operator+=(const ConvCost& other) {
  bit_ops += other.bit_ops;
  activation_memory += other.activation_memory;
  weight_memory += other.weight_memory;
  return *this;
}

ConvCost ConvCost::CompressionFrom(const ConvCost& reference) const {
  return {.bit_ops = reference.bit_ops / bit_ops,
          .activation_memory = reference.activation_memory / activation_memory,
          .weight_memory = reference.weight_memory / weight_memory};
}

ConvCost Cost(const ConvShape& shape, double activation_bits, double weight_bits, CostModel model) {
  const double unit = model == CostModel::kExact ? 1.0 / 8 : 1.0;  // bytes or bits
  return {.bit_ops = Macs(shape, model) * activation_bits * weight_bits,
          .activation_memory = Activations(shape, model) * activation_bits * unit,
          .weight_memory = Parameters(shape, model) * weight_bits * unit};
}

}  // namespace quant
