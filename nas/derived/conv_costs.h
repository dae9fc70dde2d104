// What each convolution of a derived network costs, for the architecture file and for reports.
#ifndef NAS_DERIVED_CONV_COSTS_H_
#define NAS_DERIVED_CONV_COSTS_H_

#include <vector>

#include "nas/derived/derived_layout.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

// {"<convolution>": ["16->32 3x3/1 g1 @32", a, w, bit_ops, activation_bytes, weight_bytes,
// bit_ops_millions, activation_kilobits, weight_megabits], …} in the order of the network:
// channels, kernel/stride, groups and the side of what it reads; bits; the exact costs, then the
// published ones. Those in float, which the published code does not count, have no published costs.
// The auxiliary head, which only training runs, is left out. `bits` are those of `layout.convs`.
nlohmann::ordered_json ConvCostsToJson(const DerivedLayout& layout,
                                       const std::vector<ConvBits>& bits);

}  // namespace nas

#endif  // NAS_DERIVED_CONV_COSTS_H_
