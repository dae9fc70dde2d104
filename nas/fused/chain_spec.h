// What a fused operation is made of beside its tensors: units one after the other.
#ifndef NAS_FUSED_CHAIN_SPEC_H_
#define NAS_FUSED_CHAIN_SPEC_H_

#include <array>
#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "distributed/communication/communicator.h"
#include "nas/fused/normalization.h"
#include "nas/fused/unit_shape.h"
#include "quant/lattice.h"

namespace nas::fused {

// How one convolution sees its activation.
struct ChainConv {
  std::vector<int64_t> bits;
  quant::EightBit eight_bit = quant::EightBit::kPublished;
  // Of 8 bits, [2, channels, 1, 1]; undefined: that of the batch, over all ranks.
  at::Tensor range = {};
};

struct ChainUnit {
  UnitShape shape;
  std::array<ChainConv, 2> convs;  // As many as shape.num_convs().
  Normalization normalization;
};

struct ChainSpec {
  std::vector<ChainUnit> units;
  distributed::Communicator* communicator = nullptr;  // Of several ranks; null: this one alone.
};

}  // namespace nas::fused

#endif  // NAS_FUSED_CHAIN_SPEC_H_
