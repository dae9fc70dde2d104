// A convolutional network as data: what it computes, node by node, with the paths of its modules.
//
//   NetworkGraph graph;
//   NodeId x = graph.Conv(NetworkGraph::kImages, "conv1", 64, Window::Square(7, 2, 3));
//   x = graph.Relu(graph.BatchNorm(x, "bn1"));
//   graph.AddOutput(graph.Linear(graph.AdaptiveAverage(x, 1), "fc", 1000));
//   ASSIGN_OR_RETURN(const NetworkLayout layout, LayoutOfGraph(graph, /*side=*/224));
//
// nas/networks/graph_modules.h makes it run.
#ifndef NAS_NETWORKS_NETWORK_GRAPH_H_
#define NAS_NETWORKS_NETWORK_GRAPH_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nas/networks/network_layout.h"

namespace nas {

// Pairs are (height, width).
struct Window {
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> padding = {0, 0};
  std::array<int64_t, 2> dilation = {1, 1};
  bool ceil_mode = false;         // Of a pool: a last window that is cut off counts, too.
  bool count_include_pad = true;  // Of an average: zeros of the border count as values.

  static constexpr Window Square(int64_t kernel, int64_t stride = 1, int64_t padding = 0) {
    return {.kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {padding, padding}};
  }
};

enum class LayerKind {
  kImages,
  kConv,  // Without bias.
  kBatchNorm,
  kRelu,
  kMaxPool,
  kAveragePool,
  kAdaptiveAverage,  // To so many pixels a side: 1 is the mean of all.
  kConcat,           // Of channels.
  kAdd,
  kDropFirst,  // All but the first row and column.
  kLinear,     // Of all values of an image; with bias.
};

// What a convolution's quantizers see.
enum class ConvRole {
  kFloat,      // None: it stays in float.
  kQuantized,  // What stands in front of it.
  // The activation quantizer is the network's activation function: negative values are cut off at
  // any bits, at 32, too.
  kQuantizedRectifier,
};

using NodeId = int;

struct Node {
  LayerKind kind;
  std::string path;  // Of its module; of a concatenation or sum, of the block that it ends.
  std::vector<NodeId> inputs;  // Earlier nodes.
  int64_t channels;            // That it puts out.
  Window window = {};
  int64_t groups = 1;  // Of a convolution.
  ConvRole role = ConvRole::kFloat;
  double eps = 0;          // Of a batch normalization, whose momentum is 0.1.
  int64_t side = 0;        // Pixels of a side, where it decides them itself.
  bool auxiliary = false;  // Only training runs it.
};

class NetworkGraph {
 public:
  static constexpr NodeId kImages = 0;  // [N, 3, side, side]

  NodeId Conv(NodeId x, std::string path, int64_t channels, const Window& window,
              ConvRole role = ConvRole::kFloat, int64_t groups = 1);
  NodeId BatchNorm(NodeId x, std::string path, double eps = 1e-5);
  NodeId Relu(NodeId x);
  NodeId Pool(LayerKind kind, NodeId x, const Window& window);
  NodeId AdaptiveAverage(NodeId x, int64_t side);
  NodeId Concat(std::vector<NodeId> parts, std::string block);
  NodeId Add(NodeId x, NodeId y, std::string block);
  NodeId DropFirst(NodeId x);
  NodeId Linear(NodeId x, std::string path, int64_t channels);

  // The logits, then those of auxiliary heads.
  void AddOutput(NodeId x) { outputs.push_back(x); }
  // Nodes from now on belong to an auxiliary head, or do not.
  void set_auxiliary(bool auxiliary) { auxiliary_ = auxiliary; }

  int64_t channels(NodeId x) const { return nodes[x].channels; }
  // Values that it puts out for an image of any size: an average to so many pixels stands before
  // it, and nothing behind that changes their number.
  int64_t num_values(NodeId x) const;

  // In an order in which they can run, which is that of the modules' registration.
  std::vector<Node> nodes = {{.kind = LayerKind::kImages, .path = "", .inputs = {}, .channels = 3}};
  std::vector<NodeId> outputs;

 private:
  NodeId Append(Node node);

  bool auxiliary_ = false;
};

struct MapSize {
  int64_t height, width;
};

// Of what every node puts out, for square images. InvalidArgument naming `image_side` and the least
// that the network takes, if some map is left without a pixel.
absl::StatusOr<std::vector<MapSize>> MapSizes(const NetworkGraph& graph, int64_t image_side);

// Its convolutions and parameters; errors likewise.
absl::StatusOr<NetworkLayout> LayoutOfGraph(const NetworkGraph& graph, int64_t image_side);

}  // namespace nas

#endif  // NAS_NETWORKS_NETWORK_GRAPH_H_
