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
  if (bits >= 5 && numbers.Below(2) == 0) {
    const int most = (1 << (bits - 1)) - 1;
    return {.bits = bits, .step = 1.27f / most, .low = -most, .high = most};
  }
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
              : bits.weight >= 5 ? WeightCode::kSigned
                                 : WeightCode::kOdd;
  for (int64_t i = 0; i < size; ++i) {
    if (bits.weight == 32) {
      node.float_weights.push_back(numbers.Between(-0.5f, 0.5f));
    } else {
      node.weights.push_back(Weight(node, numbers));
    }
  }
  const int64_t units = bits.weight == 32 ? 0 : bits.weight >= 5 ? node.out_channels : 1;
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

namespace {

// Adds operations on values of any shape that there is so far.
class RandomGraph {
 public:
  explicit RandomGraph(uint64_t seed) : numbers_(seed) {
    network_ = {.architecture = R"({"format": "none"})",
                .classes = {"zero", "one", "two"},
                .height = 3 + static_cast<int32_t>(numbers_.Below(18)),
                .width = 3 + static_cast<int32_t>(numbers_.Below(18))};
    shapes_.push_back({network_.height, network_.width, 3});
  }

  PackedNetwork Run() {
    for (int i = 0; i < 20; ++i) AddAny();
    // All that nothing has used yet leads to the logits, if it has the shape of the last.
    Node all = {.op = Op::kConcat};
    for (uint32_t v = 1; v < shapes_.size(); ++v)
      if (shapes_[v].height == shapes_.back().height && shapes_[v].width == shapes_.back().width &&
          (v + 1 == shapes_.size() || numbers_.Below(2) == 0))
        all.inputs.push_back(v);
    Join(std::move(all));
    const int64_t channels = shapes_.back().channels;
    Add({.op = Op::kGlobalMean, .inputs = {Last()}}, {1, 1, channels});
    Node linear = {.op = Op::kLinear, .inputs = {Last()}, .out_channels = 3};
    for (int64_t i = 0; i < 3 * channels; ++i)
      linear.float_weights.push_back(numbers_.Between(-1, 1));
    linear.shift = {0.25f, 0, -0.5f};
    Add(std::move(linear), {1, 1, 3});
    return std::move(network_);
  }

 private:
  uint32_t Last() const { return shapes_.size() - 1; }

  void Add(Node node, const Shape& shape) {
    node.name = "node" + std::to_string(network_.nodes.size());
    network_.nodes.push_back(std::move(node));
    shapes_.push_back(shape);
  }

  // The last values more often.
  uint32_t AnyValue() {
    return numbers_.Below(2) == 0 ? Last() : numbers_.Below(static_cast<uint32_t>(shapes_.size()));
  }

  Window AnyWindow(const Shape& in, int most_stride) {
    static constexpr int32_t kSides[] = {1, 1, 3, 5, 7};
    Window w;
    w.kernel_h = kSides[numbers_.Below(5)];
    w.kernel_w = numbers_.Below(4) == 0 ? kSides[numbers_.Below(5)] : w.kernel_h;
    w.stride_h = w.stride_w = 1 + static_cast<int32_t>(numbers_.Below(most_stride));
    w.dilation_h = w.dilation_w = 1 + static_cast<int32_t>(numbers_.Below(2));
    w.pad_top = (w.kernel_h - 1) * w.dilation_h / 2;
    w.pad_left = (w.kernel_w - 1) * w.dilation_w / 2;
    w.out_h = static_cast<int32_t>((in.height - 1) / w.stride_h + 1);
    w.out_w = static_cast<int32_t>((in.width - 1) / w.stride_w + 1);
    return w;
  }

  void AddConv() {
    static constexpr int kBits[] = {1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 8, 32};
    const uint32_t input = AnyValue();
    const Shape in = shapes_[input];
    Node node = {.op = Op::kConv, .inputs = {input}, .window = AnyWindow(in, 2)};
    const int kind = static_cast<int>(numbers_.Below(3));
    node.out_channels = static_cast<int32_t>(kind == 0 ? in.channels : 1 + numbers_.Below(40));
    node.groups = kind == 0 ? node.out_channels : 1;
    if (kind == 1) node.window = {.out_h = int32_t(in.height), .out_w = int32_t(in.width)};
    FillConv(node, in.channels, {kBits[numbers_.Below(12)], kBits[numbers_.Below(12)]}, numbers_);
    const Window w = node.window;
    const int64_t channels = node.out_channels;
    Add(std::move(node), {w.out_h, w.out_w, channels});
  }

  void AddPool() {
    const uint32_t input = AnyValue();
    static constexpr Op kPools[] = {Op::kMaxPool, Op::kAvgPool, Op::kPaddedAvgPool};
    const Op op = kPools[numbers_.Below(3)];
    const Window window = AnyWindow(shapes_[input], 2);
    Add({.op = op, .inputs = {input}, .window = window},
        {window.out_h, window.out_w, shapes_[input].channels});
  }

  void AddNorm() {
    const uint32_t input = AnyValue();
    Node node = {.op = Op::kNorm, .inputs = {input}};
    for (int64_t c = 0; c < shapes_[input].channels; ++c) {
      node.scale.push_back(numbers_.Between(-1.5f, 1.5f));
      node.shift.push_back(numbers_.Between(-0.5f, 1));
    }
    Add(std::move(node), shapes_[input]);
  }

  void AddSum() {
    const uint32_t a = AnyValue();
    for (uint32_t b = Last() + 1; b-- > 0;)
      if (shapes_[b].height == shapes_[a].height && shapes_[b].width == shapes_[a].width &&
          shapes_[b].channels == shapes_[a].channels && (b != a || numbers_.Below(8) == 0))
        return Add({.op = Op::kAdd, .inputs = {a, b}}, shapes_[a]);
  }

  void AddJoin() {
    Node node = {.op = Op::kConcat, .inputs = {AnyValue()}};
    const Shape first = shapes_[node.inputs[0]];
    for (uint32_t v = Last() + 1; v-- > 0 && node.inputs.size() < 4;)
      if (shapes_[v].height == first.height && shapes_[v].width == first.width &&
          shapes_[v].channels < 100 && numbers_.Below(2) == 0)
        node.inputs.push_back(v);
    Join(std::move(node));
  }

  void Join(Node node) {
    Shape shape = shapes_[node.inputs[0]];
    shape.channels = 0;
    for (const uint32_t input : node.inputs) shape.channels += shapes_[input].channels;
    Add(std::move(node), shape);
  }

  void AddAny() {
    const uint32_t kind = numbers_.Below(10);
    if (kind == 0) return Add({.op = Op::kRelu, .inputs = {Last()}}, shapes_.back());
    if (kind == 1) return AddPool();
    if (kind <= 3) return AddSum();
    if (kind == 4) return AddJoin();
    if (kind == 5) return AddNorm();
    AddConv();
  }

  TestNumbers numbers_;
  PackedNetwork network_;
  std::vector<Shape> shapes_;
};

}  // namespace

PackedNetwork RandomNetwork(uint64_t seed) { return RandomGraph(seed).Run(); }

}  // namespace quant::runtime
