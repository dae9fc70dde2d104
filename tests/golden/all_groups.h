// Every group of golden files this project checks.
#ifndef TESTS_GOLDEN_ALL_GROUPS_H_
#define TESTS_GOLDEN_ALL_GROUPS_H_

#include <vector>

#include "tests/golden/registry.h"

namespace golden {

std::vector<Group> AllGroups();

}  // namespace golden

#endif  // TESTS_GOLDEN_ALL_GROUPS_H_
