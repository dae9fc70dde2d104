// An edge of a supernet cell: every searched primitive on the same input.
#ifndef NAS_SUPERNET_MIXED_EDGE_H_
#define NAS_SUPERNET_MIXED_EDGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/operations/operations.h"
#include "nas/space/primitives.h"
#include "quant/lattice.h"
#include "quant/precision.h"
#include "torch/nn/module.h"

namespace nas {

// `_ops.<i>` is the operation of the i-th search primitive; nothing learned has an affine part, and
// a pool is followed by a batch normalization, `_ops.<i>.1` (PC-DARTS/model_search.py).
class MixedEdge : public torch::nn::Module {
 public:
  // channels: those that the primitives process, 1/k of the cell's.
  MixedEdge(int64_t channels, int64_t stride, quant::EightBit eight_bit);

  // Appends the outputs of the primitives but kNone, in their order, to `outputs`. `precisions` by
  // GammaRow.
  void Apply(const at::Tensor& x, const std::array<quant::Precision, kNumGammaRows>& precisions,
             std::vector<at::Tensor>& outputs);

  // Null for kNone.
  const std::shared_ptr<Operation>& operation(int primitive) const {
    return operations_[primitive];
  }

 private:
  std::array<std::shared_ptr<Operation>, kNumSearchPrimitives> operations_;
};

}  // namespace nas

#endif  // NAS_SUPERNET_MIXED_EDGE_H_
