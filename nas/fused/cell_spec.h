// What a fused cell is made of beside its weights.
#ifndef NAS_FUSED_CELL_SPEC_H_
#define NAS_FUSED_CELL_SPEC_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "distributed/communication/communicator.h"
#include "nas/fused/cell_plan.h"
#include "nas/fused/normalization.h"
#include "quant/lattice.h"

namespace nas::fused {

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
