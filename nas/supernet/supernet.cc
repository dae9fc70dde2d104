#include "nas/supernet/supernet.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ATen/ops/cat.h"
#include "ATen/ops/ones.h"
#include "absl/memory/memory.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "glog/logging.h"
#include "nas/operations/operations.h"
#include "nas/operations/stem.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

constexpr int64_t kStemMultiplier = 3;

// The probabilities by which `presence` of a ConvUse counts: those of normal cells, of reduction
// cells, and certainty.
constexpr int64_t kMixtureSize = kCellEdges * kNumSearchPrimitives;
constexpr int64_t kCertain = 2 * kMixtureSize;

int64_t Presence(bool reduction, int edge, int primitive) {
  return (reduction ? kMixtureSize : 0) + edge * kNumSearchPrimitives + primitive;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Supernet>> Supernet::Create(const SupernetConfig& config) {
  RETURN_IF_ERROR(config.Check());
  return absl::WrapUnique(new Supernet(config));
}

Supernet::Supernet(const SupernetConfig& config)
    : config_(config),
      precision_(CellCount::OfLayers(config.layers), config.bits, config.gamma_start) {
  const bool imagenet = config.images == ImageKind::kImageNet;
  const int64_t stem_channels = kStemMultiplier * config.channels;
  if (imagenet) {
    stem0_ = network_.register_module("stem0", ImageNetStem0(stem_channels));
    stem1_ = network_.register_module("stem1", ImageNetStem1(stem_channels));
  } else {
    stem0_ = network_.register_module("stem", CifarStem(stem_channels));
  }

  auto cells = network_.register_module("cells", std::make_shared<torch::nn::Module>());
  SupernetCellOptions options{.input0_channels = stem_channels,
                              .input1_channels = stem_channels,
                              .channels = config.channels,
                              .partial_channels = config.partial_channels,
                              .reduction = false,
                              .previous_reduction = imagenet,
                              .eight_bit = config.eight_bit,
                              .bits = config.bits,
                              .random_channels = config.random_channels};
  CellCount count;
  for (int i = 0; i < config.layers; ++i) {
    options.reduction = IsReductionCell(i, config.layers);
    if (options.reduction) options.channels *= 2;
    auto cell = cells->register_module(std::to_string(i), std::make_shared<SupernetCell>(options));
    cells_.push_back(cell);
    AddConvs(*cell, options.reduction ? count.reduction++ : count.normal++);
    options.input0_channels = options.input1_channels;
    options.input1_channels = kCellNodes * options.channels;
    options.previous_reduction = options.reduction;
  }
  classifier_ = network_.register_module(
      "classifier", torch::nn::Linear(options.input1_channels, config.classes));
}

void Supernet::AddConvs(const SupernetCell& cell, int number) {
  const auto add = [this](const Operation& operation, int64_t row, int64_t presence) {
    for (const auto& module : operation.modules()) {
      if (const auto* conv = module->as<quant::PrecisionConv2dImpl>()) {
        convs_.push_back({conv, row, presence});
      }
    }
  };
  const bool reduction = cell.reduction();
  for (int input = 0; input < kCellInputs; ++input) {
    add(*cell.preprocess(input), precision_->PreprocessRow(reduction, number, input), kCertain);
  }
  for (int edge = 0; edge < kCellEdges; ++edge) {
    for (int i = 0; i < kNumSearchPrimitives; ++i) {
      if (const std::optional<int> row = GammaRow(kSearchPrimitives[i])) {
        add(*cell.edge(edge)->operation(i), precision_->EdgeRow(reduction, number, edge, *row),
            Presence(reduction, edge, i));
      }
    }
  }
}

at::Tensor Supernet::Forward(const at::Tensor& images) {
  at::Tensor s0 = stem0_->forward(images);
  at::Tensor s1 = stem1_ ? stem1_->forward(s0) : s0;

  const CellMixture normal = architecture_->Normal();
  const CellMixture reduction = architecture_->Reduction();
  const PrecisionParametersImpl::Probabilities probabilities = precision_->Softmax();
  std::vector<quant::Precision> rows;  // For cells that are not fused.
  CellCount count;
  for (const std::shared_ptr<SupernetCell>& cell : cells_) {
    const bool reduces = cell->reduction();
    const int number = reduces ? count.reduction++ : count.normal++;
    const CellMixture& mixture = reduces ? reduction : normal;
    std::optional<at::Tensor> output;
    if (implementation_ == Implementation::kFused) {
      std::string why_not;
      output = cell->ForwardFused(s0, s1, mixture,
                                  precision_->RowsOfCell(probabilities, reduces, number), why_not);
      if (!output) {
        LOG_FIRST_N(INFO, 1) << "cells are computed module by module, not as one operator: "
                             << why_not;
      }
    }
    if (!output) {
      if (rows.empty()) rows = precision_->Rows(probabilities);
      output = cell->forward(s0, s1, mixture, precision_->OfCell(rows, reduces, number));
    }
    s0 = std::move(s1);
    s1 = *std::move(output);
  }
  return classifier_->forward(s1.mean({2, 3}));
}

void Supernet::DrawChannels() {
  for (const std::shared_ptr<SupernetCell>& cell : cells_) cell->DrawChannels();
}

at::Tensor Supernet::Complexity() const {
  at::Tensor presence;
  if (config_.expected_cost) {
    const at::Tensor normal = architecture_->Normal().probabilities.reshape(-1);
    const at::Tensor reduction = architecture_->Reduction().probabilities.reshape(-1);
    presence = at::cat({normal, reduction, at::ones({1}, normal.options())});
  }
  return nas::Complexity(convs_, *precision_, config_.cost_model, presence);
}

double Supernet::MultiplyAdds() const {
  double sum = 0;
  for (const ConvUse& use : convs_) sum += quant::Macs(use.conv->shape(), quant::CostModel::kExact);
  return sum;
}

base::TensorMap Supernet::State() const {
  base::TensorMap state = base::ModuleState(network_);
  state.merge(base::ModuleState(*architecture_));
  state.merge(base::ModuleState(*precision_));
  return state;
}

absl::Status Supernet::LoadState(const base::TensorMap& state) {
  return base::CopyState(state, State());
}

}  // namespace nas
