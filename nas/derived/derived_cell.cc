#include "nas/derived/derived_cell.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "ATen/ops/cat.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"
#include "quant/precision.h"

namespace nas {

DerivedCell::DerivedCell(const CellSite& site, const CellGenotype& genotype,
                         const OperationOptions& options)
    : concat_(genotype.concat) {
  if (site.previous_reduction) {
    preprocess_.push_back(
        std::make_shared<FactorizedReduce>(site.input0_channels, site.channels, options));
  } else {
    preprocess_.push_back(
        std::make_shared<ReluConvBn>(site.input0_channels, site.channels, options));
  }
  preprocess_.push_back(std::make_shared<ReluConvBn>(site.input1_channels, site.channels, options));
  for (int input = 0; input < kCellInputs; ++input) {
    register_module("preprocess" + std::to_string(input), preprocess_[input]);
  }

  auto ops = register_module("_ops", std::make_shared<torch::nn::Module>());
  for (const GenotypeEdge& edge : genotype.edges) {
    const int64_t stride = site.reduction && edge.predecessor < kCellInputs ? 2 : 1;
    auto operation = MakeOperation(edge.primitive, site.channels, stride, options);
    ops->register_module(std::to_string(edges_.size()), operation);
    const bool identity = edge.primitive == Primitive::kSkipConnect && stride == 1;
    edges_.push_back({std::move(operation), edge.predecessor, !identity});
  }
}

at::Tensor DerivedCell::forward(const at::Tensor& s0, const at::Tensor& s1,
                                const DropPath& drop_path, int64_t first_site) {
  const quant::Precision unspecified = quant::Precision::Float();
  std::vector<at::Tensor> states = {preprocess_[0]->forward(s0, unspecified),
                                    preprocess_[1]->forward(s1, unspecified)};
  int64_t site = first_site;
  const auto run = [&](size_t i) {
    const Edge& edge = edges_[i];
    const at::Tensor y = edge.operation->forward(states[edge.predecessor], unspecified);
    if (!edge.droppable) return y;
    const int64_t own_site = site++;
    const bool drops = is_training() && drop_path.probability > 0;
    return drops ? drop_path.Apply(y, own_site) : y;
  };
  for (size_t i = 0; i < edges_.size(); i += 2) {
    const at::Tensor first = run(i);
    states.push_back(first + run(i + 1));
  }
  std::vector<at::Tensor> outputs;
  for (const int64_t state : concat_) outputs.push_back(states[state]);
  return at::cat(outputs, /*dim=*/1);
}

int64_t DerivedCell::num_drop_path_sites() const {
  return std::count_if(edges_.begin(), edges_.end(),
                       [](const Edge& edge) { return edge.droppable; });
}

}  // namespace nas
