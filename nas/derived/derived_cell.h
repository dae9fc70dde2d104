// A cell of a derived network: two operations into each node, as its genotype says.
#ifndef NAS_DERIVED_DERIVED_CELL_H_
#define NAS_DERIVED_DERIVED_CELL_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/derived/derived_layout.h"
#include "nas/fused/implementation.h"
#include "nas/operations/drop_path.h"
#include "nas/operations/fused_operation.h"
#include "nas/operations/operations.h"
#include "nas/space/genotype.h"
#include "torch/nn/module.h"

namespace nas {

// Children `preprocess0`, `preprocess1`, `_ops.<edge>` (Cell in QDARTS/model.py).
class DerivedCell : public torch::nn::Module {
 public:
  // Its convolutions are in float until they are given precisions.
  DerivedCell(const CellSite& site, const CellGenotype& genotype, const OperationOptions& options);

  // s0, s1: the outputs of the last cell but one and of the last cell, or of the stem, as parts of
  // channels; so is the result, a part by node. In training the masks from `first_site` on apply.
  std::vector<at::Tensor> forward(const std::vector<at::Tensor>& s0,
                                  const std::vector<at::Tensor>& s1, const DropPath& drop_path,
                                  int64_t first_site, Implementation implementation);

  // How many operations drop path may drop.
  int64_t num_drop_path_sites() const;

 private:
  struct Edge {
    FusedOperation operation;
    int64_t predecessor;
    bool droppable;
  };

  std::vector<FusedOperation> preprocess_;
  std::vector<Edge> edges_;
  std::vector<int64_t> concat_;
};

}  // namespace nas

#endif  // NAS_DERIVED_DERIVED_CELL_H_
