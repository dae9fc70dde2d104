// The float supernet of plain DARTS (no partial channels, no edge weights), which the post-training
// baseline's repository searches with. The project has no use for that network; its parts are the
// project's.
#ifndef TESTS_GOLDEN_GROUPS_PLAIN_DARTS_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_PLAIN_DARTS_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"

namespace golden {

std::vector<Group> PlainDartsGroups();

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_PLAIN_DARTS_GROUPS_H_
