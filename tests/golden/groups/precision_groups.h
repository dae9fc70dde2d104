// Groups of the baselines whose bits belong to a fixed network: one width for all convolutions
// (FBQAT), or a width of its own for each (QSubNet), searched and then derived.
#ifndef TESTS_GOLDEN_GROUPS_PRECISION_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_PRECISION_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"

namespace golden {

std::vector<Group> PrecisionGroups();

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_PRECISION_GROUPS_H_
