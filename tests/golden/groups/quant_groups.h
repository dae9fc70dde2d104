// Groups of package quant: the quantizers one by one, and the mixed-precision convolution.
#ifndef TESTS_GOLDEN_GROUPS_QUANT_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_QUANT_GROUPS_H_

#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"
#include "tests/golden/frame/registry.h"

namespace golden {

// What the groups check; tests plant faults here.
struct QuantUnderTest {
  std::function<at::Tensor(const at::Tensor& x, int64_t bits, quant::Role, quant::EightBit)>
      quantize;
  quant::CostModel published_cost_model;
};

// The production quantizers.
QuantUnderTest Production();

std::vector<Group> QuantGroups(const QuantUnderTest& quant = Production());

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_QUANT_GROUPS_H_
