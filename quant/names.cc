#include "quant/names.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace quant {

absl::string_view EightBitName(EightBit eight_bit) {
  switch (eight_bit) {
    case EightBit::kPublished:
      return "published";
    case EightBit::kPublishedSearch:
      return "published_search";
    case EightBit::kSymmetric:
      return "symmetric";
  }
  return "";
}

absl::StatusOr<EightBit> ParseEightBit(absl::string_view name) {
  for (const EightBit eight_bit : kEightBits) {
    if (name == EightBitName(eight_bit)) return eight_bit;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown 8-bit quantizer \"", name, "\"; known are published, published_search, symmetric"));
}

absl::string_view CostModelName(CostModel model) {
  return model == CostModel::kPublished ? "published" : "exact";
}

absl::StatusOr<CostModel> ParseCostModel(absl::string_view name) {
  for (const CostModel model : {CostModel::kPublished, CostModel::kExact}) {
    if (name == CostModelName(model)) return model;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown cost model \"", name, "\"; known are published, exact"));
}

}  // namespace quant
