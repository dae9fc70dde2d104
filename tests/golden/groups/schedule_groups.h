// Groups of what surrounds a network in training: losses_schedules.
#ifndef TESTS_GOLDEN_GROUPS_SCHEDULE_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_SCHEDULE_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"

namespace golden {

std::vector<Group> ScheduleGroups();

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_SCHEDULE_GROUPS_H_
