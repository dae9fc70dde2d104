#include "quant/runtime/test_networks.h"

#include <string>
#include <utility>

namespace quant::runtime {
namespace {

int8_t Weight(const Node& node, TestNumbers& numbers) {
  const int levels = 1 << node.weight_bits;
  if (node.code == WeightCode::kOdd)
    return 2 * static_cast<int>(numbers.Below(levels)) + 1 - levels;
  return static_cast<int>(numbers.Below(levels - 1)) - (levels / 2 - 1);
}

ActivationLattice Lattice(int bits, TestNumbers& numbers) {
  if (bits == 32) return {};
  if (bits == 8 && numbers.Below(2) == 0)
    return {.bits = bits, .step = 0.01f, .low = -127, .high = 127};
  return {.bits = bits, .step = 1.5f / (1 << bits), .low = 0, .high = (1 << bits) - 1};
}

class Builder {
 public:
  Builder(uint64_t seed, const std::vector<TestBits>& bits) : numbers_(seed), bits_(bits) {
    network_ = {.architecture = R"({"format": "none"})",
                .classes = {"zero", "one", "two", "three", "four"},
                .height = 9,
                .width = 10,
                .mean = {0.5f, 0.4f, 0.3f},
                .std = {0.25f, 0.5f, 1}};
  }

  uint32_t Add(Node node) {
    if (node.name.empty()) node.name = "node" + std::to_string(network_.nodes.size());
    network_.nodes.push_back(std::move(node));
    return network_.nodes.size();
  }

  uint32_t Conv(uint32_t input, int64_t inputs, int32_t outputs, int32_t groups,
                const Window& window) {
    Node node = {.op = Op::kConv,
                 .inputs = {input},
                 .window = window,
                 .out_channels = outputs,
                 .groups = groups};
    FillConv(node, inputs, bits_[next_++ % bits_.size()], numbers_);
    return Add(std::move(node));
  }

  TestNumbers& numbers() { return numbers_; }
  PackedNetwork Done() { return std::move(network_); }

 private:
  TestNumbers numbers_;
  const std::vector<TestBits> bits_;
  size_t next_ = 0;
  PackedNetwork network_;
};

}  // namespace

void FillConv(Node& node, int64_t inputs, TestBits bits, TestNumbers& numbers) {
  const int64_t size =
      inputs / node.groups * node.window.kernel_h * node.window.kernel_w * node.out_channels;
  node.weight_bits = bits.weight;
  node.code = bits.weight == 32  ? WeightCode::kFloat
              : bits.weight == 8 ? WeightCode::kSigned
                                 : WeightCode::kOdd;
  for (int64_t i = 0; i < size; ++i) {
    if (bits.weight == 32) {
      node.float_weights.push_back(numbers.Between(-0.5f, 0.5f));
    } else {
      node.weights.push_back(Weight(node, numbers));
    }
  }
  const int64_t units = bits.weight == 32 ? 0 : bits.weight == 8 ? node.out_channels : 1;
  for (int64_t i = 0; i < units; ++i)
    node.units.push_back(numbers.Between(0.1f, 0.5f) / (1 << bits.weight));
  node.relu = numbers.Below(2) == 0;
  node.activation = Lattice(bits.activation, numbers);
  if (numbers.Below(4) == 0) return;
  for (int64_t c = 0; c < node.out_channels; ++c) {
    node.scale.push_back(numbers.Between(-1.5f, 1.5f));
    node.shift.push_back(numbers.Between(-0.5f, 1));
  }
}

PackedNetwork TestNetwork(uint64_t seed, const std::vector<TestBits>& bits) {
  Builder builder(seed, bits);
  const Window same3 = {
      .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .out_h = 9, .out_w = 10};
  const Window same1 = {.out_h = 9, .out_w = 10};
  const Window half1 = {.stride_h = 2, .stride_w = 2, .out_h = 4, .out_w = 5};
  Window shifted = half1;
  shifted.pad_top = shifted.pad_left = -1;
  Window half3 = {.kernel_h = 3,
                  .kernel_w = 3,
                  .stride_h = 2,
                  .stride_w = 2,
                  .pad_top = 2,
                  .pad_left = 2,
                  .dilation_h = 2,
                  .dilation_w = 2,
                  .out_h = 4,
                  .out_w = 5};
  const Window pool = {.kernel_h = 3,
                       .kernel_w = 3,
                       .stride_h = 2,
                       .stride_w = 2,
                       .pad_top = 1,
                       .pad_left = 1,
                       .out_h = 4,
                       .out_w = 5};
  const uint32_t stem = builder.Conv(0, 3, 19, 1, same3);
  const uint32_t depthwise = builder.Conv(stem, 19, 19, 19, same3);
  const uint32_t pointwise = builder.Conv(depthwise, 19, 18, 1, same1);
  const uint32_t grouped = builder.Conv(pointwise, 18, 12, 6, half3);
  const uint32_t reduced1 = builder.Conv(stem, 19, 6, 1, half1);
  const uint32_t reduced2 = builder.Conv(stem, 19, 6, 1, shifted);
  const uint32_t both = builder.Add({.op = Op::kConcat, .inputs = {reduced1, reduced2}});
  const uint32_t sum = builder.Add({.op = Op::kAdd, .inputs = {grouped, both}});
  const uint32_t rest = builder.Add({.op = Op::kRelu, .inputs = {sum}});
  const uint32_t max = builder.Add({.op = Op::kMaxPool, .inputs = {pointwise}, .window = pool});
  const uint32_t mean = builder.Add({.op = Op::kAvgPool, .inputs = {stem}, .window = pool});
  const uint32_t dilated = builder.Conv(rest, 12, 12, 12,
                                        {.kernel_h = 5,
                                         .kernel_w = 5,
                                         .pad_top = 4,
                                         .pad_left = 4,
                                         .dilation_h = 2,
                                         .dilation_w = 2,
                                         .out_h = 4,
                                         .out_w = 5});
  const uint32_t row =
      builder.Conv(dilated, 12, 12, 1, {.kernel_w = 7, .pad_left = 3, .out_h = 4, .out_w = 5});
  const uint32_t all = builder.Add({.op = Op::kConcat, .inputs = {row, max, mean, rest}});
  const uint32_t head = builder.Add({.op = Op::kGlobalMean, .inputs = {all}});
  Node linear = {.op = Op::kLinear, .name = "classifier", .inputs = {head}, .out_channels = 5};
  for (int i = 0; i < 5 * (12 + 18 + 19 + 12); ++i)
    linear.float_weights.push_back(builder.numbers().Between(-0.3f, 0.3f));
  for (int i = 0; i < 5; ++i) linear.shift.push_back(builder.numbers().Between(-1, 1));
  builder.Add(std::move(linear));
  return builder.Done();
}

}  // namespace quant::runtime
