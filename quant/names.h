// The names by which flags and files call this package's choices.
#ifndef QUANT_NAMES_H_
#define QUANT_NAMES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"

namespace quant {

// "published", "published_search" or "symmetric".
absl::string_view EightBitName(EightBit eight_bit);
absl::StatusOr<EightBit> ParseEightBit(absl::string_view name);

// "published" or "exact".
absl::string_view CostModelName(CostModel model);
absl::StatusOr<CostModel> ParseCostModel(absl::string_view name);

}  // namespace quant

#endif  // QUANT_NAMES_H_
