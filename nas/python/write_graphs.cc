// Prints the networks whose structure is given as JSON, for the wheel:
//
//   {"resnet18": {"nodes": [{"kind": "images", …}, …], "outputs": [68], "torchvision": true}, …}
//
// Nodes are those of nas/networks/network_graph.h, with the fields that their kind has; the
// classifier is one of 1000 classes. Whether weights have torchvision's names is said, too.
#include <iostream>
#include <map>
#include <string>

#include "nas/networks/fixed_networks.h"
#include "nas/networks/network_graph.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using Json = nlohmann::ordered_json;

const char* KindName(LayerKind kind) {
  static const std::map<LayerKind, const char*> kNames = {
      {LayerKind::kImages, "images"},
      {LayerKind::kConv, "conv"},
      {LayerKind::kBatchNorm, "batch_norm"},
      {LayerKind::kRelu, "relu"},
      {LayerKind::kMaxPool, "max_pool"},
      {LayerKind::kAveragePool, "average_pool"},
      {LayerKind::kAdaptiveAverage, "adaptive_average"},
      {LayerKind::kConcat, "concat"},
      {LayerKind::kAdd, "add"},
      {LayerKind::kDropFirst, "drop_first"},
      {LayerKind::kLinear, "linear"},
  };
  return kNames.at(kind);
}

Json NodeToJson(const Node& node) {
  Json json = {{"kind", KindName(node.kind)}, {"inputs", node.inputs}, {"channels", node.channels}};
  if (!node.path.empty()) json["path"] = node.path;
  const Window& window = node.window;
  switch (node.kind) {
    case LayerKind::kConv:
      json.update({{"kernel", window.kernel},
                   {"stride", window.stride},
                   {"padding", window.padding},
                   {"dilation", window.dilation},
                   {"groups", node.groups},
                   {"quantized", node.role != ConvRole::kFloat},
                   {"rectifies", node.role == ConvRole::kQuantizedRectifier}});
      break;
    case LayerKind::kMaxPool:
    case LayerKind::kAveragePool:
      json.update({{"kernel", window.kernel},
                   {"stride", window.stride},
                   {"padding", window.padding},
                   {"ceil_mode", window.ceil_mode}});
      if (node.kind == LayerKind::kAveragePool)
        json["count_include_pad"] = window.count_include_pad;
      break;
    case LayerKind::kBatchNorm:
      json["eps"] = node.eps;
      break;
    case LayerKind::kAdaptiveAverage:
      json["side"] = node.side;
      break;
    default:
      break;
  }
  return json;
}

Json Networks() {
  Json networks = Json::object();
  for (const std::string& name : FixedNetworkNames()) {
    const NetworkGraph graph = FixedNetworkGraph(name, /*classes=*/1000).value();
    Json nodes = Json::array();
    for (const Node& node : graph.nodes) nodes.push_back(NodeToJson(node));
    networks[name] = {
        {"torchvision", IsTorchvisionNetwork(name)}, {"nodes", nodes}, {"outputs", graph.outputs}};
  }
  return networks;
}

}  // namespace
}  // namespace nas

int main() { std::cout << nas::Networks().dump() << std::endl; }
