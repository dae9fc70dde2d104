#include "nas/networks/graph_modules.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/adaptive_avg_pool2d.h"
#include "ATen/ops/avg_pool2d.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/clamp_min.h"
#include "ATen/ops/max_pool2d.h"
#include "ATen/ops/relu.h"
#include "absl/strings/str_split.h"
#include "distributed/data_parallel/batch_norm.h"
#include "glog/logging.h"
#include "quant/precision.h"
#include "torch/nn/init.h"
#include "torch/nn/modules/linear.h"

namespace nas {
namespace {

using torch::nn::Module;

std::shared_ptr<Module> MakeModule(const NetworkGraph& graph, const Node& node,
                                   quant::EightBit eight_bit) {
  switch (node.kind) {
    case LayerKind::kConv: {
      auto conv = std::make_shared<quant::PrecisionConv2dImpl>(
          quant::ConvOptions{.in_channels = graph.channels(node.inputs[0]),
                             .out_channels = node.channels,
                             .kernel = node.window.kernel,
                             .stride = node.window.stride,
                             .padding = node.window.padding,
                             .dilation = node.window.dilation,
                             .groups = node.groups,
                             .eight_bit = eight_bit});
      torch::nn::init::kaiming_normal_(conv->weight(), /*a=*/0, torch::kFanOut, torch::kReLU);
      return conv;
    }
    case LayerKind::kBatchNorm:
      return std::make_shared<distributed::BatchNorm2dImpl>(
          torch::nn::BatchNormOptions(node.channels).eps(node.eps));
    case LayerKind::kLinear:
      return std::make_shared<torch::nn::LinearImpl>(graph.num_values(node.inputs[0]),
                                                     node.channels);
    default:
      return nullptr;
  }
}

// Makes `module` the child of `root` at `path`, with the modules on the way.
void Register(Module& root, const std::string& path, std::shared_ptr<Module> module) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  Module* parent = &root;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    const auto children = parent->named_children();
    const auto* child = children.find(names[i]);
    parent = child != nullptr ? child->get()
                              : parent->register_module(names[i], std::make_shared<Module>()).get();
  }
  parent->register_module(names.back(), std::move(module));
}

// Up to 4 bits, a quantizer cuts off negative values by itself.
bool NeedsRectifier(const quant::PrecisionConv2dImpl& conv) {
  constexpr int64_t kRectifyingBits = 4;
  const auto bits = conv.PrecisionFor(quant::Precision::Float()).activation_bits;
  return *std::max_element(bits.begin(), bits.end()) > kRectifyingBits;
}

}  // namespace

GraphModules::GraphModules(NetworkGraph graph, Module& root, quant::EightBit eight_bit)
    : graph_(std::move(graph)), root_(root), last_use_(graph_.nodes.size(), graph_.nodes.size()) {
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    modules_.push_back(MakeModule(graph_, node, eight_bit));
    if (modules_.back() != nullptr) Register(root, node.path, modules_.back());
    for (const NodeId input : node.inputs) last_use_[input] = i;
  }
}

at::Tensor GraphModules::Compute(size_t i, const std::vector<at::Tensor>& values) {
  const Node& node = graph_.nodes[i];
  const at::Tensor& x = values[node.inputs[0]];
  const Window& window = node.window;
  switch (node.kind) {
    case LayerKind::kConv: {
      auto& conv = *modules_[i]->as<quant::PrecisionConv2dImpl>();
      const bool rectified = node.role == ConvRole::kQuantizedRectifier && NeedsRectifier(conv);
      return conv.forward(rectified ? at::clamp_min(x, 0) : x);
    }
    case LayerKind::kBatchNorm:
      return modules_[i]->as<distributed::BatchNorm2dImpl>()->forward(x);
    case LayerKind::kRelu:
      return at::relu(x);
    case LayerKind::kMaxPool:
      return at::max_pool2d(x, window.kernel, window.stride, window.padding, window.dilation,
                            window.ceil_mode);
    case LayerKind::kAveragePool:
      return at::avg_pool2d(x, window.kernel, window.stride, window.padding, window.ceil_mode,
                            window.count_include_pad);
    case LayerKind::kAdaptiveAverage:
      if (node.side == 1) return x.mean(at::IntArrayRef{2, 3}, /*keepdim=*/true);
      return at::adaptive_avg_pool2d(x, {node.side, node.side});
    case LayerKind::kConcat: {
      std::vector<at::Tensor> parts;
      for (const NodeId input : node.inputs) parts.push_back(values[input]);
      return at::cat(parts, /*dim=*/1);
    }
    case LayerKind::kAdd:
      return x + values[node.inputs[1]];
    case LayerKind::kDropFirst:
      return x.slice(2, 1).slice(3, 1);
    case LayerKind::kLinear:
      return modules_[i]->as<torch::nn::LinearImpl>()->forward(x.flatten(1));
    case LayerKind::kImages:
      LOG(FATAL) << "images are not computed";
  }
  return {};
}

std::vector<at::Tensor> GraphModules::Forward(const at::Tensor& images, const Observer& observe) {
  std::vector<at::Tensor> values(graph_.nodes.size());
  values[NetworkGraph::kImages] = images;
  for (size_t i = 1; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if (node.auxiliary && !root_.is_training()) continue;
    values[i] = Compute(i, values);
    if (observe) observe(node, values[i]);
    for (const NodeId input : node.inputs) {
      if (last_use_[input] == i) values[input].reset();
    }
  }
  std::vector<at::Tensor> outputs;
  for (const NodeId output : graph_.outputs) {
    if (values[output].defined()) outputs.push_back(values[output]);
  }
  return outputs;
}

std::vector<quant::PrecisionConv2dImpl*> GraphModules::convs() const {
  std::vector<quant::PrecisionConv2dImpl*> convs;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (graph_.nodes[i].role != ConvRole::kFloat) {
      convs.push_back(modules_[i]->as<quant::PrecisionConv2dImpl>());
    }
  }
  return convs;
}

}  // namespace nas
