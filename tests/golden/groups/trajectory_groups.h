// Groups of the bilevel search step: traj_*.
#ifndef TESTS_GOLDEN_GROUPS_TRAJECTORY_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_TRAJECTORY_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/supernet_groups.h"

namespace golden {

std::vector<Group> TrajectoryGroups(const SupernetUnderTest& test = {});

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_TRAJECTORY_GROUPS_H_
