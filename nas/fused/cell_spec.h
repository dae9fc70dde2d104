// What a fused cell is made of beside its weights.
#ifndef NAS_FUSED_CELL_SPEC_H_
#define NAS_FUSED_CELL_SPEC_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "distributed/communication/communicator.h"
#include "nas/fused/cell_plan.h"
#include "quant/lattice.h"

namespace nas::fused {

// The running statistics of a batch normalization without affine part.
struct Normalization {
  at::Tensor running_mean, running_var;  // [C]
  at::Tensor batches;                    // Scalar: how many batches they have seen.
  double momentum = 0.1;
  double epsilon = 1e-5;
};

struct CellSpec {
  std::shared_ptr<const CellPlan> plan;
  std::vector<int64_t> bits;
  quant::EightBit eight_bit;
  std::vector<Normalization> units;          // By unit.
  std::vector<Normalization> pools;          // By edge, maximum and average.
  distributed::Communicator* communicator = nullptr;  // Of several ranks; null: this one alone.
};

}  // namespace nas::fused

#endif  // NAS_FUSED_CELL_SPEC_H_
