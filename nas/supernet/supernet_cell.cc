#include "nas/supernet/supernet_cell.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/cat.h"
#include "ATen/ops/max_pool2d.h"
#include "glog/logging.h"
#include "nas/device/device_cell.h"
#include "nas/device/device_weights.h"
#include "nas/device/launcher.h"
#include "nas/fused/fused_cell.h"
#include "nas/space/primitives.h"
#include "nas/supernet/mix_node.h"
#include "quant/mixed_weights.h"
#include "quant/precision_conv.h"

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
    if (stride == 1) {
      bypass = parts[1];
    } else if (part == channels) {  // max_pool2d takes no tensor without channels.
      bypass = parts[1].slice(2, 0, {}, stride).slice(3, 0, {}, stride);
    } else {
      bypass = at::max_pool2d(parts[1], {stride, stride});
    }
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
  if (options.random_channels) {
    orders_.assign(kCellEdges, ChannelOrder(channels, options.partial_channels));
  }
  MakeFused();
}

void SupernetCell::DrawChannels() {
  for (ChannelOrder& order : orders_) order.Draw();
}

void SupernetCell::MakeFused() {
  fused_.plan = std::make_shared<const fused::CellPlan>(
      fused::CellPlan::Options{.input0_channels = options_.input0_channels,
                               .input1_channels = options_.input1_channels,
                               .channels = options_.channels,
                               .partial_channels = options_.partial_channels,
                               .reduction = options_.reduction,
                               .previous_reduction = options_.previous_reduction});
  fused_.bits = options_.bits;
  fused_.eight_bit = options_.eight_bit;
  // Convolutions come in the order of units, with a batch normalization behind each unit's.
  const auto add = [&](const Operation& operation) {
    for (UnitModules& modules : UnitModulesOf(operation)) {
      norms_.push_back(modules.norm);
      const bool pool = modules.convs.empty();
      (pool ? fused_.pools : fused_.units).push_back(NormalizationOf(*modules.norm));
      if (!pool) units_.push_back(std::move(modules));
    }
  };
  for (const auto& preprocess : preprocess_) add(*preprocess);
  for (const auto& edge : edges_) {
    for (int i = 0; i < kNumSearchPrimitives; ++i) {
      if (edge->operation(i) != nullptr) add(*edge->operation(i));
    }
  }
  CHECK_EQ(fused_.units.size(), fused_.plan->units.size());
  CHECK_EQ(fused_.pools.size(), 2 * kCellEdges);
}

std::optional<at::Tensor> SupernetCell::ForwardFused(
    const at::Tensor& s0, const at::Tensor& s1, const CellMixture& mixture,
    const PrecisionParametersImpl::Probabilities& rows, std::string& why_not) {
  fused_.communicator = norms_.front()->communicator();
  const bool on_device = device::LauncherOf(s1.device().type()) != nullptr;
  why_not = on_device ? device::WhyNotOnDevice(fused_, s0, s1) : fused::WhyNotFused(fused_, s0, s1);
  if (!orders_.empty()) why_not = "channels are sampled at random";
  for (const distributed::BatchNorm2dImpl* norm : norms_) {
    if (norm->is_training() != is_training()) {
      why_not = "one of its batch normalizations trains and another one does not";
    }
  }
  if (!why_not.empty()) return std::nullopt;
  NoteUnitSizes(s0, s1);
  std::vector<at::Tensor> weights;
  std::vector<int64_t> weight_rows;
  for (size_t i = 0; i < units_.size(); ++i) {
    for (const quant::PrecisionConv2dImpl* conv : units_[i].convs) {
      weights.push_back(conv->weight());
      weight_rows.push_back(fused_.plan->units[i].row);
    }
  }
  const auto mix = on_device ? device::MixedWeights : quant::MixedWeights;
  const at::Tensor quantized =
      mix(weights, weight_rows, fused_.bits, rows.weight, fused_.eight_bit);
  const auto apply = on_device ? device::ApplyCell : fused::ApplyFusedCell;
  return apply(fused_, is_training(), s0, s1, quantized, rows.activation, mixture.probabilities,
               at::cat({mixture.edges.begin(), mixture.edges.end()}));
}

void SupernetCell::NoteUnitSizes(const at::Tensor& s0, const at::Tensor& s1) const {
  const int64_t height = s1.size(2), width = s1.size(3);
  for (size_t i = 0; i < units_.size(); ++i) {
    const fused::Unit& unit = fused_.plan->units[i];
    std::array<int64_t, 2> in = {height, width};
    if (unit.edge < 0) {
      if (unit.input == 0) in = {s0.size(2), s0.size(3)};
    } else if (unit.previous >= 0 || unit.input >= kCellInputs) {
      const int64_t halved = options_.reduction ? 2 : 1;
      in = {height / halved, width / halved};
    }
    NoteSizes(units_[i], unit.shape, in);
  }
}

at::Tensor SupernetCell::forward(const at::Tensor& s0, const at::Tensor& s1,
                                 const CellMixture& mixture, const CellPrecision& precision) {
  std::vector<at::Tensor> states = {preprocess_[0]->forward(s0, precision.preprocess[0]),
                                    preprocess_[1]->forward(s1, precision.preprocess[1])};
  std::vector<EdgeInput> inputs;  // By state, if all edges out of one process the same channels.
  for (int node = 0; node < kCellNodes; ++node) {
    if (!orders_.empty()) {
      states.push_back(SampledNode(node, states, mixture, precision));
      continue;
    }
    std::vector<at::Tensor> operations, bypasses;
    for (int predecessor = 0; predecessor < NumEdges(node); ++predecessor) {
      if (inputs.size() == static_cast<size_t>(predecessor)) {
        inputs.emplace_back(states[predecessor], options_.partial_channels, Stride(predecessor));
      }
      const int edge = EdgeIndex(node, predecessor);
      edges_[edge]->Apply(inputs[predecessor].processed, precision.edges[edge], operations);
      bypasses.push_back(inputs[predecessor].bypass);
    }
    states.push_back(MixNode(mixture.operations[node], operations, mixture.edges[node], bypasses));
  }
  return at::cat(at::TensorList(states).slice(kCellInputs), /*dim=*/1);
}

at::Tensor SupernetCell::SampledNode(int node, const std::vector<at::Tensor>& states,
                                     const CellMixture& mixture, const CellPrecision& precision) {
  const ChannelOrder first(options_.channels, options_.partial_channels);
  at::Tensor sum;
  for (int predecessor = 0; predecessor < NumEdges(node); ++predecessor) {
    const int edge = EdgeIndex(node, predecessor);
    const ChannelOrder& order = is_training() ? orders_[edge] : first;
    const EdgeInput input(order.Take(states[predecessor]), options_.partial_channels,
                          Stride(predecessor));
    std::vector<at::Tensor> operations;
    edges_[edge]->Apply(input.processed, precision.edges[edge], operations);
    const int64_t count = operations.size();
    const at::Tensor mixed = order.PutBack(
        MixNode(mixture.operations[node].narrow(0, predecessor * count, count), operations,
                mixture.edges[node].narrow(0, predecessor, 1), {input.bypass}));
    sum = sum.defined() ? sum + mixed : mixed;
  }
  return sum;
}

}  // namespace nas
