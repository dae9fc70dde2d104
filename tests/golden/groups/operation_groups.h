// Group ops_eval: the operations of derived networks one by one.
#ifndef TESTS_GOLDEN_GROUPS_OPERATION_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_OPERATION_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/derived_groups.h"

namespace golden {

std::vector<Group> OperationGroups(const DerivedUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_OPERATION_GROUPS_H_
