// Groups of the search: cell_*, super_*, pcdarts_super_*.
#ifndef TESTS_GOLDEN_GROUPS_SUPERNET_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_SUPERNET_GROUPS_H_

#include <functional>
#include <memory>
#include <vector>

#include "base/tensor_file.h"
#include "nas/supernet/supernet.h"
#include "quant/bit_cost.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "torch/nn/module.h"

namespace golden {

// What is checked. A test plants a fault in it to see that the check catches it.
struct SupernetUnderTest {
  // Called once the golden values are in: the supernet's or the cell's modules, and all its tensors
  // by name, gammas among them.
  std::function<void(torch::nn::Module& network, base::TensorMap& state)> alter =
      [](torch::nn::Module&, base::TensorMap&) {};
  quant::CostModel published_cost_model = quant::CostModel::kPublished;
};

// The supernet that a file of a whole search network describes, with its weights, alphas, betas and
// gammas, in float64.
std::unique_ptr<nas::Supernet> MakeSupernet(const GoldenFile& file, const SupernetUnderTest& test);

std::vector<Group> SupernetGroups(const SupernetUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_SUPERNET_GROUPS_H_
