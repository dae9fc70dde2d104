// Groups of published figures: numbers.json with numbers_gamma_*, fp32_param_counts.json.
#ifndef TESTS_GOLDEN_GROUPS_NUMBER_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_NUMBER_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/derived_groups.h"

namespace golden {

std::vector<Group> NumberGroups(const DerivedUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_NUMBER_GROUPS_H_
