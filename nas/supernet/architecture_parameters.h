// The logits that a search turns into a genotype: alpha chooses an edge's operation, beta a node's
// edges. All normal cells share one set, all reduction cells another.
#ifndef NAS_SUPERNET_ARCHITECTURE_PARAMETERS_H_
#define NAS_SUPERNET_ARCHITECTURE_PARAMETERS_H_

#include <array>

#include "ATen/core/Tensor.h"
#include "nas/space/cell_topology.h"
#include "torch/nn/module.h"
#include "torch/nn/pimpl.h"

namespace nas {

// How much each term of a cell's nodes counts, differentiable in alpha and beta.
struct CellMixture {
  // [14, 8]: softmax(alpha) of the edge times softmax(beta) over the edges of its node.
  at::Tensor probabilities;
  // By node: the rows of its edges in `probabilities` without kNone, [edges * 7], edge by edge.
  std::array<at::Tensor, kCellNodes> operations;
  // By node: softmax(beta) over its edges, [edges].
  std::array<at::Tensor, kCellNodes> edges;

  // alpha [14, 8], beta [14].
  CellMixture(const at::Tensor& alpha, const at::Tensor& beta);
};

// alphas_normal, alphas_reduce [14, 8] and betas_normal, betas_reduce [14], as in the published
// code; start as 1e-3 N(0, 1) of LibTorch's default generator, hence of torch::manual_seed.
class ArchitectureParametersImpl : public torch::nn::Module {
 public:
  ArchitectureParametersImpl();

  CellMixture Normal() const { return CellMixture(alphas_normal_, betas_normal_); }
  CellMixture Reduction() const { return CellMixture(alphas_reduce_, betas_reduce_); }

 private:
  at::Tensor alphas_normal_, alphas_reduce_, betas_normal_, betas_reduce_;
};
TORCH_MODULE(ArchitectureParameters);

}  // namespace nas

#endif  // NAS_SUPERNET_ARCHITECTURE_PARAMETERS_H_
