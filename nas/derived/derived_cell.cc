#include "nas/derived/derived_cell.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"

namespace nas {

DerivedCell::DerivedCell(const CellSite& site, const CellGenotype& genotype,
                         const OperationOptions& options)
    : concat_(genotype.concat) {
  std::array<std::shared_ptr<Operation>, kCellInputs> preprocess;
  if (site.previous_reduction) {
    preprocess[0] =
        std::make_shared<FactorizedReduce>(site.input0_channels, site.channels, options);
  } else {
    preprocess[0] = std::make_shared<ReluConvBn>(site.input0_channels, site.channels, options);
  }
  preprocess[1] = std::make_shared<ReluConvBn>(site.input1_channels, site.channels, options);
  for (int input = 0; input < kCellInputs; ++input) {
    register_module("preprocess" + std::to_string(input), preprocess[input]);
    preprocess_.emplace_back(preprocess[input]);
  }

  auto ops = register_module("_ops", std::make_shared<torch::nn::Module>());
  for (const GenotypeEdge& edge : genotype.edges) {
    const int64_t stride = site.reduction && edge.predecessor < kCellInputs ? 2 : 1;
    auto operation = MakeOperation(edge.primitive, site.channels, stride, options);
    ops->register_module(std::to_string(edges_.size()), operation);
    const bool identity = edge.primitive == Primitive::kSkipConnect && stride == 1;
    edges_.push_back({FusedOperation(operation), edge.predecessor, !identity});
  }
}

std::vector<at::Tensor> DerivedCell::forward(const std::vector<at::Tensor>& s0,
                                             const std::vector<at::Tensor>& s1,
                                             const DropPath& drop_path, int64_t first_site,
                                             Implementation implementation) {
  std::vector<at::Tensor> states = {preprocess_[0].Forward(s0, implementation),
                                    preprocess_[1].Forward(s1, implementation)};
  int64_t site = first_site;
  const auto run = [&](size_t i) {
    Edge& edge = edges_[i];
    const at::Tensor y = edge.operation.Forward({states[edge.predecessor]}, implementation);
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
  return outputs;
}

int64_t DerivedCell::num_drop_path_sites() const {
  return std::count_if(edges_.begin(), edges_.end(),
                       [](const Edge& edge) { return edge.droppable; });
}

}  // namespace nas
