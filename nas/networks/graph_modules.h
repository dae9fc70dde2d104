// The modules of a network's graph, and what they compute.
//
//   class Network : public torch::nn::Module {
//     GraphModules modules_;            // modules_(graph, *this, eight_bit)
//   };
#ifndef NAS_NETWORKS_GRAPH_MODULES_H_
#define NAS_NETWORKS_GRAPH_MODULES_H_

#include <functional>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/networks/network_graph.h"
#include "quant/lattice.h"
#include "quant/precision_conv.h"
#include "torch/nn/module.h"

namespace nas {

// Every node with a path that is a layer's is a child of `root` there: a PrecisionConv2d, also
// where it stays in float, a BatchNorm2d or a Linear. Convolutions start normally distributed (He),
// the others as LibTorch starts them, all from its default generator.
class GraphModules {
 public:
  // `root` outlives it, and has it alone.
  GraphModules(NetworkGraph graph, torch::nn::Module& root, quant::EightBit eight_bit);

  // images: [N, 3, side, side]. A tensor [N, channels] for each of the graph's outputs; auxiliary
  // ones in training only. `observe`, if not null, sees what every node puts out.
  using Observer = std::function<void(const Node& node, const at::Tensor& y)>;
  std::vector<at::Tensor> Forward(const at::Tensor& images, const Observer& observe = nullptr);

  // The convolutions that are quantized, in order: NetworkLayout::convs.
  std::vector<quant::PrecisionConv2dImpl*> convs() const;
  const NetworkGraph& graph() const { return graph_; }

 private:
  at::Tensor Compute(size_t i, const std::vector<at::Tensor>& values);

  const NetworkGraph graph_;
  const torch::nn::Module& root_;
  std::vector<std::shared_ptr<torch::nn::Module>> modules_;  // By node; null without.
  std::vector<size_t> last_use_;                             // Of each node's output.
};

}  // namespace nas

#endif  // NAS_NETWORKS_GRAPH_MODULES_H_
