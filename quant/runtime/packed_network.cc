#include "quant/runtime/packed_network.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace quant::runtime {
namespace {

class Checker {
 public:
  explicit Checker(const PackedNetwork& network) : network_(network) {}

  absl::StatusOr<Shapes> Run() {
    if (!InRange(network_.height, 1, kMostSide) || !InRange(network_.width, 1, kMostSide))
      return absl::InvalidArgumentError(
          absl::StrCat("input of ", network_.height, "x", network_.width, " pixels"));
    for (int c = 0; c < 3; ++c) {
      const float std = network_.std[c];
      if (!std::isfinite(network_.mean[c]) || !std::isfinite(std) || !(std > 0))
        return absl::InvalidArgumentError("normalization of the input is not finite");
    }
    if (!(network_.crop > 0 && network_.crop <= 1))
      return absl::InvalidArgumentError(
          absl::StrCat("centre crop is ", network_.crop, ", not within (0, 1]"));
    if (network_.nodes.empty() || network_.nodes.size() > kMostNodes)
      return absl::InvalidArgumentError(absl::StrCat("has ", network_.nodes.size(), " nodes"));
    shapes_.values.push_back({network_.height, network_.width, 3});
    for (index_ = 0; index_ < network_.nodes.size(); ++index_)
      RETURN_IF_ERROR(CheckNode(network_.nodes[index_]));
    const Shape& logits = shapes_.values.back();
    if (logits.pixels() != 1 || logits.channels != static_cast<int64_t>(network_.classes.size()))
      return absl::InvalidArgumentError(
          absl::StrCat("the last node gives ", logits.channels, " channels of ", logits.pixels(),
                       " pixels, but there are ", network_.classes.size(), " classes"));
    return std::move(shapes_);
  }

 private:
  static bool InRange(int64_t value, int64_t least, int64_t most) {
    return least <= value && value <= most;
  }

  template <typename... Parts>
  absl::Status Error(const Parts&... parts) const {
    return absl::InvalidArgumentError(
        absl::StrCat("node ", index_, " (", network_.nodes[index_].name, "): ", parts...));
  }

  absl::Status CheckNode(const Node& node) {
    std::vector<Shape> inputs;
    for (const uint32_t input : node.inputs) {
      if (input > index_) return Error("takes value ", input, ", which is none before it");
      inputs.push_back(shapes_.values[input]);
    }
    const bool many = node.op == Op::kConcat, two = node.op == Op::kAdd;
    if (inputs.empty() || (!many && inputs.size() != (two ? 2 : 1)))
      return Error("has ", inputs.size(), " inputs");
    Shape output = inputs[0];
    switch (node.op) {
      case Op::kConv:
        RETURN_IF_ERROR(CheckConv(node, inputs[0], output));
        break;
      case Op::kRelu:
      case Op::kNorm:
        break;
      case Op::kMaxPool:
      case Op::kAvgPool:
      case Op::kPaddedAvgPool:
        RETURN_IF_ERROR(CheckWindow(node.window, output));
        break;
      case Op::kAdd:
      case Op::kConcat:
        RETURN_IF_ERROR(CheckJoin(node, inputs, output));
        break;
      case Op::kGlobalMean:
        output = {1, 1, output.channels};
        break;
      case Op::kLinear:
        RETURN_IF_ERROR(CheckLinear(node, inputs[0], output));
        break;
      default:
        return Error("unknown operation ", static_cast<int>(node.op));
    }
    if (output.size() > kMostElements) return Error("gives ", output.size(), " numbers");
    shapes_.values.push_back(output);
    return absl::OkStatus();
  }

  absl::Status CheckWindow(const Window& window, Shape& output) const {
    if (!InRange(window.kernel_h, 1, kMostKernelSide) ||
        !InRange(window.kernel_w, 1, kMostKernelSide))
      return Error("kernel of ", window.kernel_h, "x", window.kernel_w);
    for (const int32_t step :
         {window.stride_h, window.stride_w, window.dilation_h, window.dilation_w})
      if (!InRange(step, 1, kMostSide)) return Error("stride or dilation of ", step);
    for (const int32_t pad : {window.pad_top, window.pad_left})
      if (!InRange(pad, -kMostSide, kMostSide)) return Error("padding of ", pad);
    if (!InRange(window.out_h, 1, kMostSide) || !InRange(window.out_w, 1, kMostSide))
      return Error("output of ", window.out_h, "x", window.out_w, " pixels");
    // Which bounds what lies between the first and the last tap of a row.
    for (const auto& [pad, stride, out, side] :
         {std::tuple(window.pad_top, window.stride_h, window.out_h, output.height),
          std::tuple(window.pad_left, window.stride_w, window.out_w, output.width)})
      if (int64_t{out - 1} * stride - pad >= side) return Error("a window outside of the image");
    output.height = window.out_h;
    output.width = window.out_w;
    return absl::OkStatus();
  }

  absl::Status CheckJoin(const Node& node, const std::vector<Shape>& inputs, Shape& output) const {
    for (size_t i = 1; i < inputs.size(); ++i) {
      if (inputs[i].height != output.height || inputs[i].width != output.width ||
          (node.op == Op::kAdd && inputs[i].channels != output.channels))
        return Error("joins values of different shapes");
      if (node.op == Op::kConcat) output.channels += inputs[i].channels;
      if (output.channels > kMostChannels) return Error("has ", output.channels, " channels");
    }
    return absl::OkStatus();
  }

  absl::Status CheckWeights(const Node& node, const Shape& input, Shape& output) {
    if (!InRange(node.out_channels, 1, kMostChannels) || !InRange(node.groups, 1, kMostChannels) ||
        input.channels % node.groups != 0 || node.out_channels % node.groups != 0)
      return Error("makes ", node.out_channels, " channels of ", input.channels, " in ",
                   node.groups, " groups");
    const int64_t inputs_of_one = input.channels / node.groups * node.window.kernel_h *
                                  node.window.kernel_w;  // At most 2^28.
    if (inputs_of_one * node.out_channels > kMostElements)
      return Error("has ", inputs_of_one * node.out_channels, " weights");
    output.channels = node.out_channels;
    shapes_.macs += static_cast<double>(inputs_of_one) * output.size();
    return absl::OkStatus();
  }

  absl::Status CheckConv(const Node& node, const Shape& input, Shape& output) {
    RETURN_IF_ERROR(CheckWindow(node.window, output));
    RETURN_IF_ERROR(CheckWeights(node, input, output));
    const bool floats = node.weight_bits == 32;
    if (floats != (node.code == WeightCode::kFloat) ||
        (!floats && !InRange(node.weight_bits, 1, 8)) ||
        (node.code == WeightCode::kOdd && node.weight_bits > 7) ||
        (node.code == WeightCode::kSigned && node.weight_bits < 2) ||
        node.code > WeightCode::kSigned)
      return Error("weights of ", node.weight_bits, " bits");
    const ActivationLattice& lattice = node.activation;
    if (lattice.bits == 32) return absl::OkStatus();
    if (!InRange(lattice.bits, 1, 8)) return Error("activations of ", lattice.bits, " bits");
    if (!std::isfinite(lattice.step) || !(lattice.step > 0))
      return Error("a step of ", lattice.step, " between activations");
    if (!InRange(lattice.low, -255, 0) || !InRange(lattice.high, 1, 255) ||
        lattice.high - lattice.low >= (1 << lattice.bits))
      return Error("activations from ", lattice.low, " to ", lattice.high, " of ", lattice.bits,
                   " bits");
    const int64_t most = std::max(-lattice.low, lattice.high);
    const int64_t sum =
        most * 128 * (NumWeights(node, input) / node.out_channels);  // At most 2^43.
    if (!floats && sum > kMostSum) return Error("its sums of integers may reach ", sum);
    return absl::OkStatus();
  }

  absl::Status CheckLinear(const Node& node, const Shape& input, Shape& output) {
    if (input.pixels() != 1) return Error("linear on ", input.pixels(), " pixels");
    if (node.groups != 1 || node.window.kernel_h != 1 || node.window.kernel_w != 1)
      return Error("linear with groups or a kernel");
    return CheckWeights(node, input, output);
  }

  const PackedNetwork& network_;
  Shapes shapes_;
  size_t index_ = 0;
};

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

absl::Status CheckNorm(const Node& node, const Shape& input) {
  const size_t channels = input.channels;
  if (node.scale.size() != channels || node.shift.size() != channels)
    return absl::InvalidArgumentError("has not a scale and a shift for each channel");
  if (!AllFinite(node.scale) || !AllFinite(node.shift))
    return absl::InvalidArgumentError("has numbers that are not finite");
  return absl::OkStatus();
}

bool WeightsFit(const Node& node) {
  const int most = node.code == WeightCode::kOdd ? (1 << node.weight_bits) - 1
                                                 : (1 << (node.weight_bits - 1)) - 1;
  return std::all_of(node.weights.begin(), node.weights.end(), [&](int8_t w) {
    return -most <= w && w <= most && (node.code != WeightCode::kOdd || w % 2 != 0);
  });
}

absl::Status CheckArrays(const Node& node, const Shape& input) {
  if (node.op == Op::kNorm) return CheckNorm(node, input);
  if (node.op != Op::kConv && node.op != Op::kLinear) return absl::OkStatus();
  const size_t channels = node.out_channels, size = NumWeights(node, input);
  const bool linear = node.op == Op::kLinear, floats = linear || node.weight_bits == 32;
  if (node.weights.size() != (floats ? 0 : size) ||
      node.float_weights.size() != (floats ? size : 0))
    return absl::InvalidArgumentError("has not as many weights as its shape says");
  if (floats ? !node.units.empty() : node.units.size() != 1 && node.units.size() != channels)
    return absl::InvalidArgumentError("has not one unit of its weights, or one a channel");
  if (linear ? !node.scale.empty() || node.shift.size() != channels
             : node.scale.size() != node.shift.size() ||
                   (!node.scale.empty() && node.scale.size() != channels))
    return absl::InvalidArgumentError("has not a scale and a shift for each channel");
  if (!AllFinite(node.float_weights) || !AllFinite(node.units) || !AllFinite(node.scale) ||
      !AllFinite(node.shift))
    return absl::InvalidArgumentError("has numbers that are not finite");
  if (!floats && !WeightsFit(node))
    return absl::InvalidArgumentError(
        absl::StrCat("has weights that are no levels of ", node.weight_bits, " bits"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Shapes> InferShapes(const PackedNetwork& network) { return Checker(network).Run(); }

int64_t NumWeights(const Node& node, const Shape& input) {
  return input.channels / node.groups * node.window.kernel_h * node.window.kernel_w *
         node.out_channels;
}

absl::Status CheckNetwork(const PackedNetwork& network) {
  ASSIGN_OR_RETURN(const Shapes shapes, InferShapes(network));
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const Node& node = network.nodes[i];
    const absl::Status status = CheckArrays(node, shapes.values[node.inputs[0]]);
    if (!status.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("node ", i, " (", node.name, ") ", status.message()));
  }
  return absl::OkStatus();
}

}  // namespace quant::runtime
