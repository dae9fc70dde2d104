#include "nas/supernet/architecture_parameters.h"

#include "ATen/TensorOperators.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/softmax.h"
#include "nas/space/primitives.h"

namespace nas {

CellMixture::CellMixture(const at::Tensor& alpha, const at::Tensor& beta) {
  for (int node = 0; node < kCellNodes; ++node) {
    edges[node] = beta.slice(0, EdgeIndex(node, 0), EdgeIndex(node + 1, 0)).softmax(0);
  }
  probabilities = alpha.softmax(1) * at::cat(edges).unsqueeze(1);
  static_assert(kSearchPrimitives[0] == Primitive::kNone);
  const at::Tensor without_none = probabilities.slice(1, 1);
  for (int node = 0; node < kCellNodes; ++node) {
    operations[node] =
        without_none.slice(0, EdgeIndex(node, 0), EdgeIndex(node + 1, 0)).reshape(-1);
  }
}

ArchitectureParametersImpl::ArchitectureParametersImpl() {
  const auto start = [this](const char* name, at::IntArrayRef shape) {
    return register_parameter(name, at::randn(shape).mul_(1e-3));
  };
  alphas_normal_ = start("alphas_normal", {kCellEdges, kNumSearchPrimitives});
  alphas_reduce_ = start("alphas_reduce", {kCellEdges, kNumSearchPrimitives});
  betas_normal_ = start("betas_normal", {kCellEdges});
  betas_reduce_ = start("betas_reduce", {kCellEdges});
}

}  // namespace nas
