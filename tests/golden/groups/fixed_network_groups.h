// Fixed networks: EdMIPS's, searching bits and with fixed ones, their tables of numbers, and
// torchvision's.
#ifndef TESTS_GOLDEN_GROUPS_FIXED_NETWORK_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_FIXED_NETWORK_GROUPS_H_

#include <functional>
#include <vector>

#include "nas/networks/network_graph.h"
#include "quant/bit_cost.h"
#include "tests/golden/frame/registry.h"

namespace golden {

// What is checked. Tests substitute it.
struct FixedNetworkUnderTest {
  std::function<void(nas::NetworkGraph& graph)> alter = [](nas::NetworkGraph&) {};
  quant::CostModel published_cost_model = quant::CostModel::kPublished;
};

std::vector<Group> FixedNetworkGroups(const FixedNetworkUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_FIXED_NETWORK_GROUPS_H_
