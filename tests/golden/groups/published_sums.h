// What a published derived network reports of itself.
#ifndef TESTS_GOLDEN_GROUPS_PUBLISHED_SUMS_H_
#define TESTS_GOLDEN_GROUPS_PUBLISHED_SUMS_H_

#include <vector>

#include "base/tensor_file.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/image_kind.h"
#include "quant/bit_cost.h"

namespace golden {

// The gammas among a file's tensors, "gamma/<name>", by <name>.
base::TensorMap Gammas(const base::TensorMap& tensors);

// Bits of `layout.convs` by the published rule. Throws where AssignBits has an error.
std::vector<nas::ConvBits> PublishedBits(const base::TensorMap& gammas,
                                         const nas::DerivedLayout& layout);

// fetch_arch_info() of QDARTS/model.py. For ImageNet it also counts the auxiliary head's
// convolutions, at 32/32 bits: their weights always, what depends on sizes once they ran.
quant::ConvCost PublishedSums(const nas::DerivedLayout& layout, nas::ImageKind images,
                              const std::vector<nas::ConvBits>& bits, bool head_ran,
                              quant::CostModel model);

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_PUBLISHED_SUMS_H_
