#include "nas/deployment/lowering.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/data_parallel/batch_norm.h"
#include "distributed/data_parallel/folded_batch_norm.h"
#include "glog/logging.h"
#include "nas/deployment/cell_graph.h"
#include "nas/deployment/packed_conv.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/networks/fixed_networks.h"
#include "nas/networks/network_graph.h"
#include "nas/networks/network_layout.h"
#include "nas/space/image_kind.h"
#include "nlohmann/json.hpp"
#include "quant/lattice.h"
#include "quant/precision_conv.h"
#include "torch/nn/modules/linear.h"

namespace nas {
namespace {

using quant::runtime::Node;  // Of the packed network; nas::Node is the graph's.
using quant::runtime::Op;
using quant::runtime::PackedNetwork;
using quant::runtime::Window;

// What a node of the graph puts out, as a value of the packed network and what is yet to be done to
// it: that is left to who reads it.
struct Value {
  uint32_t id = 0;
  bool relu = false;
  int skipped = 0;  // Rows and columns, from the first on.
};

class Lowering {
 public:
  Lowering(const DerivedNetwork& network, const NetworkGraph& graph,
           const std::vector<MapSize>& sizes, const NetworkLayout& layout)
      : eight_bit_(network.architecture().eight_bit),
        graph_(graph),
        sizes_(sizes),
        modules_(network.named_modules("", /*include_self=*/false)),
        readers_(graph.nodes.size()),
        values_(graph.nodes.size()) {
    for (size_t i = 0; i < layout.convs.size(); ++i)
      bits_[layout.convs[i].name] = network.architecture().bits[i];
    for (const nas::Node& node : graph.nodes)
      if (!node.auxiliary)
        for (const NodeId input : node.inputs) ++readers_[input];
  }

  // The nodes from the image to the logits.
  absl::StatusOr<std::vector<Node>> Run() {
    for (size_t i = 1; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].auxiliary) continue;
      ASSIGN_OR_RETURN(values_[i], Lower(i));
    }
    return std::move(nodes_);
  }

 private:
  Value Add(Node node) {
    nodes_.push_back(std::move(node));
    return {.id = static_cast<uint32_t>(nodes_.size())};
  }

  // A value that is what the graph's node puts out.
  uint32_t Plain(NodeId id) {
    const Value& value = values_[id];
    CHECK_EQ(value.skipped, 0) << "only convolutions read what DropFirst leaves";
    if (!value.relu) return value.id;
    uint32_t& rectified = rectified_[value.id];
    if (rectified == 0) rectified = Add({.op = Op::kRelu, .inputs = {value.id}}).id;
    return rectified;
  }

  absl::StatusOr<Value> Lower(size_t i) {
    const nas::Node& node = graph_.nodes[i];
    const NodeId input = node.inputs[0];
    switch (node.kind) {
      case LayerKind::kConv:
        return Conv(node, sizes_[i]);
      case LayerKind::kBatchNorm:
        return BatchNorm(node);
      case LayerKind::kRelu: {
        Value value = values_[input];
        value.relu = true;
        return value;
      }
      case LayerKind::kDropFirst: {
        Value value = values_[input];
        ++value.skipped;
        return value;
      }
      case LayerKind::kMaxPool:
      case LayerKind::kAveragePool:
        return Pool(node, sizes_[i]);
      case LayerKind::kConcat:
        return Concat(node);
      case LayerKind::kAdd: {
        const uint32_t x = Plain(input), y = Plain(node.inputs[1]);
        return Add({.op = Op::kAdd, .inputs = {x, y}});
      }
      case LayerKind::kAdaptiveAverage:
        if (node.side != 1) break;
        return Add({.op = Op::kGlobalMean, .inputs = {Plain(input)}});
      case LayerKind::kLinear:
        return Linear(node);
      case LayerKind::kImages:
        break;
    }
    return absl::InvalidArgumentError(absl::StrCat("node ", i, ": cannot be packed"));
  }

  static Window WindowOf(const nas::Window& window, const MapSize& out, int skipped = 0) {
    const auto narrow = [](int64_t v) { return static_cast<int32_t>(v); };
    return {.kernel_h = narrow(window.kernel[0]),
            .kernel_w = narrow(window.kernel[1]),
            .stride_h = narrow(window.stride[0]),
            .stride_w = narrow(window.stride[1]),
            .pad_top = narrow(window.padding[0] - skipped),
            .pad_left = narrow(window.padding[1] - skipped),
            .dilation_h = narrow(window.dilation[0]),
            .dilation_w = narrow(window.dilation[1]),
            .out_h = narrow(out.height),
            .out_w = narrow(out.width)};
  }

  absl::StatusOr<Value> Conv(const nas::Node& node, const MapSize& out) {
    const Value& x = values_[node.inputs[0]];
    Node conv = {.op = Op::kConv,
                 .name = node.path,
                 .inputs = {x.id},
                 .window = WindowOf(node.window, out, x.skipped),
                 .out_channels = static_cast<int32_t>(node.channels),
                 .groups = static_cast<int32_t>(node.groups),
                 .relu = x.relu || node.role == ConvRole::kQuantizedRectifier};
    const auto* module = modules_[node.path]->as<quant::PrecisionConv2dImpl>();
    const auto bits = bits_.find(node.path);
    RETURN_IF_ERROR(SetConvArithmetic(module->weight(), module->fixed_range(),
                                      bits == bits_.end() ? ConvBits() : bits->second, eight_bit_,
                                      conv));
    return Add(std::move(conv));
  }

  // That of a convolution, or of several that are joined, belongs to them, unless others read what
  // they put out.
  absl::StatusOr<Value> BatchNorm(const nas::Node& node) {
    const auto* norm = modules_[node.path]->as<distributed::BatchNorm2dImpl>();
    const auto folded = distributed::FoldBatchNorm(norm->weight, norm->bias, norm->running_mean,
                                                   norm->running_var, norm->options.eps());
    const NodeId input = node.inputs[0];
    std::vector<NodeId> parts = {input};
    if (graph_.nodes[input].kind == LayerKind::kConcat && readers_[input] == 1)
      parts = graph_.nodes[input].inputs;
    const bool of_convs = std::all_of(parts.begin(), parts.end(), [this](NodeId part) {
      return graph_.nodes[part].kind == LayerKind::kConv && readers_[part] == 1;
    });
    if (!of_convs) {
      return Add({.op = Op::kNorm,
                  .inputs = {Plain(input)},
                  .scale = FloatsOf(folded.scale),
                  .shift = FloatsOf(folded.shift)});
    }
    int64_t first = 0;
    for (const NodeId part : parts) {
      const int64_t end = first + graph_.channels(part);
      Node& conv = nodes_[values_[part].id - 1];
      conv.scale = FloatsOf(folded.scale.slice(0, first, end));
      conv.shift = FloatsOf(folded.shift.slice(0, first, end));
      first = end;
    }
    return values_[input];
  }

  absl::StatusOr<Value> Pool(const nas::Node& node, const MapSize& out) {
    const NodeId input = node.inputs[0];
    const Window window = WindowOf(node.window, out);
    if (node.kind == LayerKind::kMaxPool) {  // The largest of rectified values is that, rectified.
      Value largest = Add({.op = Op::kMaxPool, .inputs = {values_[input].id}, .window = window});
      largest.relu = values_[input].relu;
      return largest;
    }
    const bool padded = window.pad_top > 0 || window.pad_left > 0;
    const Op op = padded && node.window.count_include_pad ? Op::kPaddedAvgPool : Op::kAvgPool;
    return Add({.op = op, .inputs = {Plain(input)}, .window = window});
  }

  Value Concat(const nas::Node& node) {
    const bool relu = std::all_of(node.inputs.begin(), node.inputs.end(),
                                  [this](NodeId part) { return values_[part].relu; });
    Node concat = {.op = Op::kConcat};
    for (const NodeId part : node.inputs)
      concat.inputs.push_back(relu ? values_[part].id : Plain(part));
    Value value = Add(std::move(concat));
    value.relu = relu;
    return value;
  }

  Value Linear(const nas::Node& node) {
    const auto* linear = modules_[node.path]->as<torch::nn::LinearImpl>();
    return Add({.op = Op::kLinear,
                .name = node.path,
                .inputs = {Plain(node.inputs[0])},
                .out_channels = static_cast<int32_t>(node.channels),
                .float_weights = FloatsOf(linear->weight),
                .shift = FloatsOf(linear->bias)});
  }

  const quant::EightBit eight_bit_;
  const NetworkGraph& graph_;
  const std::vector<MapSize>& sizes_;
  const torch::OrderedDict<std::string, std::shared_ptr<torch::nn::Module>> modules_;
  std::map<std::string, ConvBits> bits_;
  std::vector<int> readers_;  // Of each node.
  std::vector<Value> values_;
  std::map<uint32_t, uint32_t> rectified_;  // By value, where it is needed so.
  std::vector<Node> nodes_;
};

absl::StatusOr<NetworkGraph> GraphOf(const DerivedNetwork& network, const DerivedLayout& layout) {
  const Architecture& architecture = network.architecture();
  if (architecture.fixed_network.empty()) return CellNetworkGraph(network, layout);
  return FixedNetworkGraph(architecture.fixed_network, architecture.network.classes);
}

// Without the bits, which the nodes have, and what follows from these for each convolution.
std::string ArchitectureText(const Architecture& architecture) {
  auto json = nlohmann::ordered_json::parse(ArchitectureToText(architecture));
  json.erase("bits");
  json["cost"].erase("convolutions");
  return json.dump();
}

}  // namespace

absl::StatusOr<PackedNetwork> LowerNetwork(const DerivedNetwork& network,
                                           const DeploymentInput& input) {
  const Architecture& architecture = network.architecture();
  const NetworkShape& shape = architecture.network;
  if (static_cast<int64_t>(input.classes.size()) != shape.classes)
    return absl::InvalidArgumentError(
        absl::StrCat(input.classes.size(), " class names, but the network has ", shape.classes));
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(architecture));
  ASSIGN_OR_RETURN(const NetworkGraph graph, GraphOf(network, layout));
  ASSIGN_OR_RETURN(const std::vector<MapSize> sizes, MapSizes(graph, shape.image_side));
  PackedNetwork packed = {.architecture = ArchitectureText(architecture),
                          .classes = input.classes,
                          .height = static_cast<int32_t>(shape.image_side),
                          .width = static_cast<int32_t>(shape.image_side),
                          .mean = input.mean,
                          .std = input.std};
  if (shape.images == ImageKind::kImageNet) {
    packed.preparation = quant::runtime::Preparation::kCenterCrop;
    packed.crop = input.crop;
  }
  ASSIGN_OR_RETURN(packed.nodes, Lowering(network, graph, sizes, layout).Run());
  RETURN_IF_ERROR(quant::runtime::CheckNetwork(packed));
  return packed;
}

}  // namespace nas
