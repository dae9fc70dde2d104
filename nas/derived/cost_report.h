// What a derived network costs: BitOps, activation memory and weight memory, convolution by
// convolution and in total, in the published and the exact convention (quant/bit_cost.h).
#ifndef NAS_DERIVED_COST_REPORT_H_
#define NAS_DERIVED_COST_REPORT_H_

#include <vector>

#include "nas/derived/derived_layout.h"
#include "nlohmann/json_fwd.hpp"
#include "quant/bit_cost.h"

namespace nas {

// Costs of some convolutions, and of the same at 32/32 bits.
struct PartCost {
  quant::ConvCost cost;
  quant::ConvCost at_32_bits;

  void Add(const quant::ConvShape& shape, const ConvBits& bits, quant::CostModel model);
  quant::ConvCost Compression() const { return cost.CompressionFrom(at_32_bits); }
};

struct CostReport {
  // The cells' convolutions, the only ones that the published code counts for CIFAR; with the
  // stem's if it is quantized.
  PartCost published_cells;
  PartCost exact_cells;
  // What the deployed network runs: with the stem and the classifier, which stay in float, and
  // without the auxiliary head.
  PartCost exact_network;
  int64_t num_parameters = 0;  // Of the deployed network.
};

// `bits` are those of `layout.convs`.
CostReport MakeCostReport(const DerivedLayout& layout, const std::vector<ConvBits>& bits);

// The totals and their compression, with units in the keys.
nlohmann::ordered_json CostReportToJson(const CostReport& report);

}  // namespace nas

#endif  // NAS_DERIVED_COST_REPORT_H_
