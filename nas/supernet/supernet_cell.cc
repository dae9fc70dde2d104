#include "nas/supernet/supernet_cell.h"

#include <string>
#include <vector>

#include "ATen/ops/cat.h"
#include "ATen/ops/max_pool2d.h"
#include "nas/space/primitives.h"
#include "nas/supernet/mix_node.h"

namespace nas {
namespace {

// A state as its outgoing edges see it. Those of one state all have the same stride.
struct EdgeInput {
  at::Tensor processed;  // The first 1/k of the channels.
  at::Tensor bypass;     // The others, at the size of the edges' outputs.

  EdgeInput(const at::Tensor& state, int64_t partial_channels, int64_t stride) {
    const int64_t channels = state.size(1);
    const int64_t part = channels / partial_channels;
    const std::vector<at::Tensor> parts = state.split_with_sizes({part, channels - part}, 1);
    processed = parts[0];
    bypass = stride == 1 ? parts[1] : at::max_pool2d(parts[1], {stride, stride});
  }
};

}  // namespace

SupernetCell::SupernetCell(const SupernetCellOptions& options) : options_(options) {
  const int64_t channels = options.channels;
  const OperationOptions op_options{.affine = false, .eight_bit = options.eight_bit};
  if (options.previous_reduction) {
    preprocess_[0] =
        std::make_shared<FactorizedReduce>(options.input0_channels, channels, op_options);
  } else {
    preprocess_[0] = std::make_shared<ReluConvBn>(options.input0_channels, channels, op_options);
  }
  preprocess_[1] = std::make_shared<ReluConvBn>(options.input1_channels, channels, op_options);
  register_module("preprocess0", preprocess_[0]);
  register_module("preprocess1", preprocess_[1]);

  auto edges = register_module("_ops", std::make_shared<torch::nn::Module>());
  for (int node = 0; node < kCellNodes; ++node) {
    for (int predecessor = 0; predecessor < NumEdges(node); ++predecessor) {
      const int64_t stride = options.reduction && predecessor < kCellInputs ? 2 : 1;
      const int edge = EdgeIndex(node, predecessor);
      edges_[edge] = edges->register_module(
          std::to_string(edge), std::make_shared<MixedEdge>(channels / options.partial_channels,
                                                            stride, options.eight_bit));
    }
  }
}

at::Tensor SupernetCell::forward(const at::Tensor& s0, const at::Tensor& s1,
                                 const CellMixture& mixture, const CellPrecision& precision) {
  const int64_t input_stride = options_.reduction ? 2 : 1;
  std::vector<EdgeInput> inputs;
  inputs.emplace_back(preprocess_[0]->forward(s0, precision.preprocess[0]),
                      options_.partial_channels, input_stride);
  inputs.emplace_back(preprocess_[1]->forward(s1, precision.preprocess[1]),
                      options_.partial_channels, input_stride);

  std::array<at::Tensor, kCellNodes> nodes;
  for (int node = 0; node < kCellNodes; ++node) {
    std::vector<at::Tensor> operations, bypasses;
    for (int predecessor = 0; predecessor < NumEdges(node); ++predecessor) {
      const int edge = EdgeIndex(node, predecessor);
      edges_[edge]->Apply(inputs[predecessor].processed, precision.edges[edge], operations);
      bypasses.push_back(inputs[predecessor].bypass);
    }
    nodes[node] = MixNode(mixture.operations[node], operations, mixture.edges[node], bypasses);
    if (node + 1 < kCellNodes) {
      inputs.emplace_back(nodes[node], options_.partial_channels, /*stride=*/1);
    }
  }
  return at::cat(nodes, /*dim=*/1);
}

}  // namespace nas
