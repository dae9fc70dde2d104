// Groups of derived networks: derived_*, pcdarts_derived_*, ops_eval.
#ifndef TESTS_GOLDEN_GROUPS_DERIVED_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_DERIVED_GROUPS_H_

#include <functional>
#include <vector>

#include "base/tensor_file.h"
#include "quant/bit_cost.h"
#include "tests/golden/frame/registry.h"
#include "torch/nn/module.h"

namespace golden {

// What is checked. A test plants a fault in it to see that the check catches it.
struct DerivedUnderTest {
  // Called on the gammas before bits are derived from them.
  std::function<void(base::TensorMap& gammas)> alter_gammas = [](base::TensorMap&) {};
  // Called on a network or an operation once the golden weights are in.
  std::function<void(torch::nn::Module& network)> alter = [](torch::nn::Module&) {};
  quant::CostModel published_cost_model = quant::CostModel::kPublished;
};

std::vector<Group> DerivedGroups(const DerivedUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_DERIVED_GROUPS_H_
