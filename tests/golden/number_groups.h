// Groups of published figures: numbers.json with numbers_gamma_*, fp32_param_counts.json.
#ifndef TESTS_GOLDEN_NUMBER_GROUPS_H_
#define TESTS_GOLDEN_NUMBER_GROUPS_H_

#include <vector>

#include "tests/golden/derived_groups.h"
#include "tests/golden/registry.h"

namespace golden {

std::vector<Group> NumberGroups(const DerivedUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_NUMBER_GROUPS_H_
