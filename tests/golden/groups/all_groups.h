// Every group of golden files this project checks.
#ifndef TESTS_GOLDEN_GROUPS_ALL_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_ALL_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"

namespace golden {

std::vector<Group> AllGroups();

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_ALL_GROUPS_H_
