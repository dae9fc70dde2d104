#include "quant/onnx/onnx_network.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "quant/onnx/onnx_graph.h"
#include "quant/runtime/bit_packing.h"

namespace quant::onnx {
namespace {

using runtime::ActivationLattice;
using runtime::Node;
using runtime::Op;
using runtime::PackedNetwork;
using runtime::Shape;
using runtime::WeightCode;
using runtime::Window;

constexpr char kQonnxDomain[] = "qonnx.custom_op.general";

bool IsSigned(const ActivationLattice& lattice) { return lattice.low < 0; }

// The bits of an element that holds levels of so many.
int ContainerBits(int bits) { return bits <= 2 ? 2 : bits <= 4 ? 4 : 8; }

OnnxType UnsignedType(int bits) {
  return bits == 2 ? OnnxType::kUint2 : bits == 4 ? OnnxType::kUint4 : OnnxType::kUint8;
}

// A number of a type of up to 8 bits, in the lowest bits of a byte.
std::string Byte(int value) { return std::string(1, static_cast<char>(value)); }

// A window along one side: which part of the input it sees, and how that is padded.
struct Reach {
  int64_t begin, end;  // Of the input.
  int64_t pad_begin, pad_end;
};

Reach ReachOf(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation,
              int64_t pad) {
  const int64_t end = (out - 1) * stride + dilation * (kernel - 1) + 1 - pad;
  return {std::max<int64_t>(0, -pad), std::min(in, end), std::max<int64_t>(0, pad),
          std::max<int64_t>(0, end - in)};
}

class Writer {
 public:
  Writer(const PackedNetwork& network, const OnnxOptions& options)
      : network_(network), options_(options), qonnx_(options.dialect == OnnxDialect::kQonnx) {}

  absl::StatusOr<std::string> Run() {
    ASSIGN_OR_RETURN(shapes_, runtime::InferShapes(network_));
    has_levels_ = std::any_of(network_.nodes.begin(), network_.nodes.end(),
                              [](const Node& node) { return node.activation.bits != 32; });
    names_.push_back(Input());
    for (const Node& node : network_.nodes) names_.push_back(AddNode(node));
    graph_.AddLogits(names_.back(), {batch_, static_cast<int64_t>(network_.classes.size())});
    AddMetadata();
    const bool two_bits =
        std::any_of(network_.nodes.begin(), network_.nodes.end(),
                    [](const Node& node) { return node.op == Op::kConv && node.weight_bits <= 2; });
    return graph_.Serialize(
        {.opset = two_bits && !qonnx_ ? 25 : 21, .domain = qonnx_ ? kQonnxDomain : ""});
  }

 private:
  std::string Cast(const std::string& x, OnnxType type) {
    return graph_.Add("Cast", {x}, {{"to", static_cast<int64_t>(type)}});
  }

  std::string Scalar(float value) { return graph_.Floats({}, {value}); }

  std::string Input() {
    const OnnxShape shape = {batch_, 3, network_.height, network_.width};
    if (!options_.include_preprocessing) {
      graph_.AddInput("image", OnnxType::kFloat, shape);
      return "image";
    }
    graph_.AddInput("pixels", OnnxType::kUint8, shape);
    const auto channels = [&](const auto& values) {
      return graph_.Doubles({3, 1, 1}, {values.begin(), values.end()});
    };
    std::string x = Cast("pixels", OnnxType::kDouble);
    x = graph_.Add("Div", {x, graph_.Doubles({}, {255})});
    x = graph_.Add("Sub", {x, channels(network_.mean)});
    x = graph_.Add("Div", {x, channels(network_.std)});
    return Cast(x, OnnxType::kFloat);
  }

  void AddMetadata() {
    graph_.AddMetadata("architecture", network_.architecture);
    graph_.AddMetadata("classes", absl::StrJoin(network_.classes, "\n"));
    graph_.AddMetadata("input", absl::StrCat("(pixel / 255 - mean) / std, mean ",
                                             absl::StrJoin(network_.mean, " "), ", std ",
                                             absl::StrJoin(network_.std, " ")));
  }

  std::string AddNode(const Node& node) {
    const std::string& x = names_[node.inputs[0]];
    switch (node.op) {
      case Op::kConv:
        return Conv(node);
      case Op::kRelu:
        return Relu(x);
      case Op::kMaxPool:
        return Windowed("MaxPool", node, {x}, {});
      case Op::kAvgPool:
      case Op::kPaddedAvgPool:
        return AveragePool(node);
      case Op::kNorm:
        return Norm(node, x);
      case Op::kAdd:
        return graph_.Add("Add", {x, names_[node.inputs[1]]});
      case Op::kConcat: {
        std::vector<std::string> inputs;
        for (const uint32_t input : node.inputs) inputs.push_back(names_[input]);
        return graph_.Add("Concat", inputs, {{"axis", int64_t{1}}});
      }
      case Op::kGlobalMean:
        return graph_.Add("GlobalAveragePool", {x});
      case Op::kLinear:
        return Linear(node, x);
    }
    return {};
  }

  std::string Relu(const std::string& x) {
    std::string& known = relu_[x];
    if (known.empty()) known = graph_.Add("Relu", {x});
    return known;
  }

  // `op` with the node's window on the first of `inputs`.
  std::string Windowed(const std::string& op, const Node& node, std::vector<std::string> inputs,
                       OnnxAttributes attributes) {
    const Shape& in = shapes_.values[node.inputs[0]];
    const Window& w = node.window;
    const Reach v = ReachOf(in.height, w.out_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top);
    const Reach u = ReachOf(in.width, w.out_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left);
    if (v.begin > 0 || u.begin > 0 || v.end < in.height || u.end < in.width) {
      inputs[0] = graph_.Add("Slice", {inputs[0], graph_.Ints({v.begin, u.begin}),
                                       graph_.Ints({v.end, u.end}), graph_.Ints({2, 3})});
    }
    attributes.push_back({"kernel_shape", std::vector<int64_t>{w.kernel_h, w.kernel_w}});
    attributes.push_back({"strides", std::vector<int64_t>{w.stride_h, w.stride_w}});
    attributes.push_back({"dilations", std::vector<int64_t>{w.dilation_h, w.dilation_w}});
    attributes.push_back(
        {"pads", std::vector<int64_t>{v.pad_begin, u.pad_begin, v.pad_end, u.pad_end}});
    return graph_.Add(op, inputs, attributes);
  }

  // The levels of a convolution's input, as floats; in QONNX times the step.
  std::string Quantized(const Node& node) {
    const ActivationLattice& lattice = node.activation;
    const std::string& x = names_[node.inputs[0]];
    if (lattice.bits == 32) return node.relu ? Relu(x) : x;
    const bool relu = node.relu && IsSigned(lattice);
    std::string& known = quantized_[{x, relu, lattice.step, lattice.low, lattice.high}];
    if (known.empty()) known = Quantize(relu ? Relu(x) : x, lattice);
    return known;
  }

  std::string Quantize(const std::string& x, const ActivationLattice& lattice) {
    const bool is_signed = IsSigned(lattice);
    if (qonnx_) return Quant(x, Scalar(lattice.step), lattice.bits, is_signed);
    const OnnxType type = is_signed ? OnnxType::kInt8 : OnnxType::kUint8;
    const auto constant = [&](int value) { return graph_.Constant(type, {}, Byte(value)); };
    std::string q = graph_.Add("QuantizeLinear", {x, Scalar(lattice.step), constant(0)});
    if (is_signed || lattice.high < 255)
      q = graph_.Add("Clip", {q, constant(lattice.low), constant(lattice.high)});
    return graph_.Add("DequantizeLinear", {q, Scalar(1), constant(0)});
  }

  std::string Quant(const std::string& x, const std::string& scale, int bits, bool is_signed) {
    // Signed levels are symmetric.
    return graph_.Add("Quant", {x, scale, Scalar(0), Scalar(static_cast<float>(bits))},
                      {{"signed", int64_t{is_signed}},
                       {"narrow", int64_t{is_signed}},
                       {"rounding_mode", "ROUND"}},
                      kQonnxDomain);
  }

  // Levels as floats, half of an odd one; in QONNX times the unit.
  std::string Weights(const Node& node, const OnnxShape& shape) {
    if (node.code == WeightCode::kFloat) return graph_.Floats(shape, node.float_weights);
    if (qonnx_) return QonnxWeights(node, shape);
    if (node.code == WeightCode::kSigned) {
      const std::string bytes(node.weights.begin(), node.weights.end());
      return graph_.Add("DequantizeLinear",
                        {graph_.Constant(OnnxType::kInt8, shape, bytes), Scalar(1)});
    }
    const int bits = ContainerBits(node.weight_bits);
    const std::string levels = graph_.Constant(UnsignedType(bits), shape,
                                               runtime::PackWeights(node.weights, bits, node.code));
    // Stored is q + 2^(bits−1), and q + ½ is wanted.
    const std::string zero = graph_.Constant(UnsignedType(bits), {}, Byte((1 << (bits - 1)) - 1));
    return graph_.Add("Sub",
                      {graph_.Add("DequantizeLinear", {levels, Scalar(1), zero}), Scalar(0.5f)});
  }

  std::string QonnxWeights(const Node& node, const OnnxShape& shape) {
    const size_t per_channel = node.weights.size() / node.out_channels;
    std::vector<float> values;
    for (size_t i = 0; i < node.weights.size(); ++i)
      values.push_back(node.weights[i] * node.units[node.units.size() == 1 ? 0 : i / per_channel]);
    const std::string weights = graph_.Floats(shape, values);
    const bool one = node.units.size() == 1;
    const std::string scale =
        graph_.Floats(one ? OnnxShape{} : OnnxShape{node.out_channels, 1, 1, 1}, node.units);
    if (node.code == WeightCode::kOdd && node.weight_bits == 1)
      return graph_.Add("BipolarQuant", {weights, scale}, {}, kQonnxDomain);
    // Odd ones up to 2^bits − 1 are among the signed levels of a bit more.
    const int bits = node.weight_bits + (node.code == WeightCode::kOdd ? 1 : 0);
    return Quant(weights, scale, bits, /*is_signed=*/true);
  }

  // Whether levels depend on sums of `node` that are no integers, so that float32 would move some.
  bool SumsInDoubles(const Node& node) const {
    const bool integers = node.activation.bits != 32 && node.weight_bits != 32;
    return options_.doubles && !qonnx_ && has_levels_ && !integers;
  }

  std::string Conv(const Node& node) {
    const int64_t inputs = shapes_.values[node.inputs[0]].channels / node.groups;
    const Window& w = node.window;
    if (SumsInDoubles(node)) {
      const OnnxShape shape = {node.groups, node.out_channels / node.groups,
                               inputs * w.kernel_h * w.kernel_w};
      const std::string weights = Cast(Weights(node, shape), OnnxType::kDouble);
      return Finish(node,
                    graph_.Add("Reshape", {graph_.Add("MatMul", {weights, Columns(node)}),
                                           graph_.Ints({0, node.out_channels, w.out_h, w.out_w})}));
    }
    const OnnxShape shape = {node.out_channels, inputs, w.kernel_h, w.kernel_w};
    return Finish(node, Windowed("Conv", node, {Quantized(node), Weights(node, shape)},
                                 {{"group", int64_t{node.groups}}}));
  }

  // The input of a convolution as columns, one for each output pixel, in float64: onnxruntime has
  // no such Conv. [N, groups, input channels of a group · taps, output pixels]
  std::string Columns(const Node& node) {
    const Shape& in = shapes_.values[node.inputs[0]];
    const Window& w = node.window;
    std::vector<std::string> columns;
    for (const std::string& tap : Taps(node, Cast(Quantized(node), OnnxType::kDouble)))
      columns.push_back(graph_.Add("Unsqueeze", {tap, graph_.Ints({2})}));
    const int64_t rows = in.channels / node.groups * w.kernel_h * w.kernel_w;
    return graph_.Add("Reshape", {graph_.Add("Concat", columns, {{"axis", int64_t{2}}}),
                                  graph_.Ints({0, node.groups, rows, w.out_h * w.out_w})});
  }

  // What every tap of a window sees of `x`, the node's input, over all output pixels; 0 outside.
  std::vector<std::string> Taps(const Node& node, const std::string& x) {
    const Shape& in = shapes_.values[node.inputs[0]];
    const Window& w = node.window;
    const Reach v = ReachOf(in.height, w.out_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top);
    const Reach u = ReachOf(in.width, w.out_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left);
    const std::string padded = graph_.Add(
        "Pad", {x, graph_.Ints({0, 0, v.pad_begin, u.pad_begin, 0, 0, v.pad_end, u.pad_end})});
    std::vector<std::string> taps;
    for (int64_t i = 0; i < w.kernel_h; ++i) {
      for (int64_t j = 0; j < w.kernel_w; ++j) {
        const int64_t y0 = v.begin + i * w.dilation_h, x0 = u.begin + j * w.dilation_w;
        taps.push_back(
            graph_.Add("Slice", {padded, graph_.Ints({y0, x0}),
                                 graph_.Ints({y0 + (w.out_h - 1) * w.stride_h + 1,
                                              x0 + (w.out_w - 1) * w.stride_w + 1}),
                                 graph_.Ints({2, 3}), graph_.Ints({w.stride_h, w.stride_w})}));
      }
    }
    return taps;
  }

  // Where levels depend on it, in the runtime's order, which is not that of every AveragePool.
  std::string AveragePool(const Node& node) {
    const std::string& x = names_[node.inputs[0]];
    const bool padded = node.op == Op::kPaddedAvgPool;
    if (!options_.doubles || qonnx_ || !has_levels_)
      return Windowed("AveragePool", node, {x}, {{"count_include_pad", int64_t{padded}}});
    const std::vector<std::string> taps = Taps(node, x);
    std::string sum = taps[0];
    for (size_t i = 1; i < taps.size(); ++i) sum = graph_.Add("Add", {sum, taps[i]});
    const Window& w = node.window;
    return graph_.Add("Div", {sum, padded ? Scalar(static_cast<float>(taps.size()))
                                          : graph_.Floats({w.out_h, w.out_w}, TapsInside(node))});
  }

  // Of each output pixel.
  std::vector<float> TapsInside(const Node& node) const {
    const Shape& in = shapes_.values[node.inputs[0]];
    const Window& w = node.window;
    const auto inside = [](int64_t pixel, int64_t side, int64_t kernel, int64_t stride,
                           int64_t dilation, int64_t pad) {
      int64_t count = 0;
      for (int64_t i = 0; i < kernel; ++i) {
        const int64_t at = pixel * stride - pad + i * dilation;
        count += 0 <= at && at < side;
      }
      return count;
    };
    std::vector<float> counts;
    for (int64_t y = 0; y < w.out_h; ++y) {
      for (int64_t x = 0; x < w.out_w; ++x) {
        const int64_t count =
            inside(y, in.height, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top) *
            inside(x, in.width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left);
        counts.push_back(static_cast<float>(std::max<int64_t>(count, 1)));
      }
    }
    return counts;
  }

  // What the sums of `node` are to be multiplied by: one number, or one per output channel.
  std::vector<double> Scales(const Node& node) const {
    if (qonnx_) return {1};
    const double step = node.activation.bits == 32 ? 1 : node.activation.step;
    const double half = node.code == WeightCode::kOdd ? 2 : 1;
    if (node.units.empty()) return {step};
    std::vector<double> scales;
    for (const float unit : node.units) scales.push_back(half * (step * unit));
    return scales;
  }

  // Of one number, or of one per channel.
  static OnnxShape ScaleShape(size_t count) {
    return count == 1 ? OnnxShape{} : OnnxShape{static_cast<int64_t>(count), 1, 1};
  }
  template <typename T>
  std::string ScaleDoubles(const std::vector<T>& values) {
    return graph_.Doubles(ScaleShape(values.size()), {values.begin(), values.end()});
  }
  std::string ScaleFloats(const std::vector<double>& values) {
    return graph_.Floats(ScaleShape(values.size()), {values.begin(), values.end()});
  }

  // x · scale + shift of the node.
  std::string Norm(const Node& node, const std::string& x) {
    if (!options_.doubles || qonnx_) {
      const std::string scaled = graph_.Add(
          "Mul", {x, ScaleFloats(std::vector<double>(node.scale.begin(), node.scale.end()))});
      return graph_.Add("Add", {scaled, graph_.Floats(ScaleShape(node.shift.size()), node.shift)});
    }
    const std::string scaled =
        graph_.Add("Mul", {Cast(x, OnnxType::kDouble), ScaleDoubles(node.scale)});
    return Cast(graph_.Add("Add", {scaled, ScaleDoubles(node.shift)}), OnnxType::kFloat);
  }

  std::string Finish(const Node& node, const std::string& sums) {
    std::vector<double> scales = Scales(node);
    const bool scaled = scales != std::vector<double>{1};
    std::string y = sums;
    if (options_.doubles && !qonnx_) {
      const bool in_doubles = SumsInDoubles(node);
      if (scaled)
        y = graph_.Add("Mul", {in_doubles ? y : Cast(y, OnnxType::kDouble), ScaleDoubles(scales)});
      if (scaled || in_doubles) y = Cast(y, OnnxType::kFloat);
      return node.scale.empty() ? y : Norm(node, y);
    }
    if (!node.scale.empty()) {
      scales.resize(node.scale.size(), scales[0]);
      for (size_t c = 0; c < scales.size(); ++c) scales[c] *= node.scale[c];
    }
    if (scaled || !node.scale.empty()) y = graph_.Add("Mul", {y, ScaleFloats(scales)});
    if (node.scale.empty()) return y;
    return graph_.Add("Add", {y, graph_.Floats(ScaleShape(node.shift.size()), node.shift)});
  }

  std::string Linear(const Node& node, const std::string& x) {
    const int64_t inputs = shapes_.values[node.inputs[0]].channels;
    const std::string flat = graph_.Add("Flatten", {x});
    return graph_.Add("Gemm",
                      {flat, graph_.Floats({node.out_channels, inputs}, node.float_weights),
                       graph_.Floats({node.out_channels}, node.shift)},
                      {{"transB", int64_t{1}}});
  }

  const PackedNetwork& network_;
  const OnnxOptions options_;
  const bool qonnx_;
  // QONNX's tools want to know how many images there are.
  const int64_t batch_ = qonnx_ ? 1 : 0;
  bool has_levels_ = false;
  runtime::Shapes shapes_;
  OnnxGraph graph_;
  std::vector<std::string> names_;  // Of the network's values.
  std::map<std::string, std::string> relu_;
  std::map<std::tuple<std::string, bool, float, int, int>, std::string> quantized_;
};

}  // namespace

absl::StatusOr<std::string> OnnxBytesOf(const PackedNetwork& network, const OnnxOptions& options) {
  RETURN_IF_ERROR(runtime::CheckNetwork(network));
  return Writer(network, options).Run();
}

}  // namespace quant::onnx
