// Group ops_eval: the operations of derived networks one by one.
#ifndef TESTS_GOLDEN_OPERATION_GROUPS_H_
#define TESTS_GOLDEN_OPERATION_GROUPS_H_

#include <vector>

#include "tests/golden/derived_groups.h"
#include "tests/golden/registry.h"

namespace golden {

std::vector<Group> OperationGroups(const DerivedUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_OPERATION_GROUPS_H_
