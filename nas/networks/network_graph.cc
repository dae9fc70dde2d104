#include "nas/networks/network_graph.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "glog/logging.h"

namespace nas {
namespace {

// Of one dimension; as LibTorch has it, a window of ceil_mode begins before the far border ends.
int64_t WindowedSize(int64_t in, const Window& window, int dim) {
  const int64_t reach = window.dilation[dim] * (window.kernel[dim] - 1) + 1;
  const int64_t span = in + 2 * window.padding[dim] - reach;
  if (span < 0) return 0;
  int64_t size = span / window.stride[dim] + 1;
  const bool cut = window.ceil_mode && span % window.stride[dim] != 0;
  if (cut && size * window.stride[dim] < in + window.padding[dim]) ++size;
  return size;
}

// Of every node's map; nothing if one has no pixel.
std::optional<std::vector<MapSize>> SizesOf(const NetworkGraph& graph, int64_t side) {
  std::vector<MapSize> sizes;
  for (const Node& node : graph.nodes) {
    MapSize size = node.inputs.empty() ? MapSize{side, side} : sizes[node.inputs[0]];
    switch (node.kind) {
      case LayerKind::kConv:
      case LayerKind::kMaxPool:
      case LayerKind::kAveragePool:
        size = {WindowedSize(size.height, node.window, 0),
                WindowedSize(size.width, node.window, 1)};
        break;
      case LayerKind::kAdaptiveAverage:
        size = {node.side, node.side};
        break;
      case LayerKind::kDropFirst:
        size = {size.height - 1, size.width - 1};
        break;
      case LayerKind::kLinear:
        size = {1, 1};
        break;
      default:
        break;
    }
    if (size.height < 1 || size.width < 1) return std::nullopt;
    sizes.push_back(size);
  }
  return sizes;
}

int64_t LeastSide(const NetworkGraph& graph) {
  int64_t side = 1;
  while (!SizesOf(graph, side).has_value()) ++side;
  return side;
}

quant::ConvShape ShapeOf(const Node& node, int64_t in_channels, const MapSize& in,
                         const MapSize& out) {
  return {.in_channels = in_channels,
          .out_channels = node.channels,
          .kernel_h = node.window.kernel[0],
          .kernel_w = node.window.kernel[1],
          .stride_h = node.window.stride[0],
          .stride_w = node.window.stride[1],
          .groups = node.groups,
          .in_h = in.height,
          .in_w = in.width,
          .out_h = out.height,
          .out_w = out.width};
}

}  // namespace

NodeId NetworkGraph::Append(Node node) {
  for (const NodeId input : node.inputs) CHECK_LT(input, static_cast<NodeId>(nodes.size()));
  node.auxiliary = auxiliary_;
  nodes.push_back(std::move(node));
  return static_cast<NodeId>(nodes.size()) - 1;
}

int64_t NetworkGraph::num_values(NodeId x) const {
  NodeId sized = x;
  while (nodes[sized].side == 0) sized = nodes[sized].inputs.at(0);
  return channels(x) * nodes[sized].side * nodes[sized].side;
}

NodeId NetworkGraph::Conv(NodeId x, std::string path, int64_t channels, const Window& window,
                          ConvRole role, int64_t groups) {
  return Append({.kind = LayerKind::kConv,
                 .path = std::move(path),
                 .inputs = {x},
                 .channels = channels,
                 .window = window,
                 .groups = groups,
                 .role = role});
}

NodeId NetworkGraph::BatchNorm(NodeId x, std::string path, double eps) {
  return Append({.kind = LayerKind::kBatchNorm,
                 .path = std::move(path),
                 .inputs = {x},
                 .channels = channels(x),
                 .eps = eps});
}

NodeId NetworkGraph::Relu(NodeId x) {
  return Append({.kind = LayerKind::kRelu, .path = "", .inputs = {x}, .channels = channels(x)});
}

NodeId NetworkGraph::Pool(LayerKind kind, NodeId x, const Window& window) {
  return Append(
      {.kind = kind, .path = "", .inputs = {x}, .channels = channels(x), .window = window});
}

NodeId NetworkGraph::AdaptiveAverage(NodeId x, int64_t side) {
  return Append({.kind = LayerKind::kAdaptiveAverage,
                 .path = "",
                 .inputs = {x},
                 .channels = channels(x),
                 .side = side});
}

NodeId NetworkGraph::Concat(std::vector<NodeId> parts, std::string block) {
  int64_t sum = 0;
  for (const NodeId part : parts) sum += channels(part);
  return Append({.kind = LayerKind::kConcat,
                 .path = std::move(block),
                 .inputs = std::move(parts),
                 .channels = sum});
}

NodeId NetworkGraph::Add(NodeId x, NodeId y, std::string block) {
  CHECK_EQ(channels(x), channels(y));
  return Append({.kind = LayerKind::kAdd,
                 .path = std::move(block),
                 .inputs = {x, y},
                 .channels = channels(x)});
}

NodeId NetworkGraph::DropFirst(NodeId x) {
  return Append(
      {.kind = LayerKind::kDropFirst, .path = "", .inputs = {x}, .channels = channels(x)});
}

NodeId NetworkGraph::Linear(NodeId x, std::string path, int64_t channels) {
  return Append({.kind = LayerKind::kLinear,
                 .path = std::move(path),
                 .inputs = {x},
                 .channels = channels,
                 .side = 1});
}

absl::StatusOr<std::vector<MapSize>> MapSizes(const NetworkGraph& graph, int64_t image_side) {
  auto sizes = SizesOf(graph, image_side);
  if (sizes.has_value()) return *std::move(sizes);
  return absl::InvalidArgumentError(absl::StrCat("image_side: is ", image_side,
                                                 "; this network takes images of ",
                                                 LeastSide(graph), " pixels a side or more"));
}

absl::StatusOr<NetworkLayout> LayoutOfGraph(const NetworkGraph& graph, int64_t image_side) {
  ASSIGN_OR_RETURN(const std::vector<MapSize> sizes, MapSizes(graph, image_side));
  std::vector<int> readers(graph.nodes.size());  // Quantized convolutions.
  for (const Node& node : graph.nodes) {
    if (node.role != ConvRole::kFloat) ++readers[node.inputs[0]];
  }
  NetworkLayout layout;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    int64_t parameters = 0;
    if (node.kind == LayerKind::kConv || node.kind == LayerKind::kLinear) {
      const bool linear = node.kind == LayerKind::kLinear;
      const quant::ConvShape shape =
          linear ? ShapeOf(node, graph.num_values(node.inputs[0]), {1, 1}, {1, 1})
                 : ShapeOf(node, graph.channels(node.inputs[0]), sizes[node.inputs[0]], sizes[i]);
      parameters = static_cast<int64_t>(quant::Parameters(shape, quant::CostModel::kExact)) +
                   (linear ? node.channels : 0);
      if (node.role == ConvRole::kFloat) {
        layout.float_convs.push_back({node.path, node.auxiliary, shape});
      } else {
        const NodeId input = node.inputs[0];
        const std::string& module = graph.nodes[input].path;
        layout.convs.push_back({.name = node.path,
                                .operation = std::nullopt,
                                .shape = shape,
                                .auxiliary = node.auxiliary,
                                .tensor = readers[input] == 1 ? node.path
                                          : module.empty()    ? absl::StrCat("nodes.", input)
                                                              : module});
      }
    } else if (node.kind == LayerKind::kBatchNorm) {
      parameters = 2 * node.channels;
    }
    (node.auxiliary ? layout.num_auxiliary_parameters : layout.num_parameters) += parameters;
  }
  return layout;
}

}  // namespace nas
