// A cell of a derived network: two operations into each node, as its genotype says.
#ifndef NAS_DERIVED_DERIVED_CELL_H_
#define NAS_DERIVED_DERIVED_CELL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/derived/derived_layout.h"
#include "nas/operations/drop_path.h"
#include "nas/operations/operations.h"
#include "nas/space/genotype.h"
#include "torch/nn/module.h"

namespace nas {

// Children `preprocess0`, `preprocess1`, `_ops.<edge>` (Cell in QDARTS/model.py).
class DerivedCell : public torch::nn::Module {
 public:
  // Its convolutions are in float until they are given precisions.
  DerivedCell(const CellSite& site, const CellGenotype& genotype, const OperationOptions& options);

  // s0, s1: the outputs of the last cell but one and of the last cell, or of the stem. In training
  // the masks from `first_site` on apply.
  at::Tensor forward(const at::Tensor& s0, const at::Tensor& s1, const DropPath& drop_path,
                     int64_t first_site);

  // How many operations drop path may drop.
  int64_t num_drop_path_sites() const;

 private:
  struct Edge {
    std::shared_ptr<Operation> operation;
    int64_t predecessor;
    bool droppable;
  };

  std::vector<std::shared_ptr<Operation>> preprocess_;
  std::vector<Edge> edges_;
  std::vector<int64_t> concat_;
};

}  // namespace nas

#endif  // NAS_DERIVED_DERIVED_CELL_H_
