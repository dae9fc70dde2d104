// Groups of the post-training quantization baseline: its quantizers, and trained networks through
// all of it.
#ifndef TESTS_GOLDEN_GROUPS_POST_TRAINING_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_POST_TRAINING_GROUPS_H_

#include <vector>

#include "tests/golden/frame/registry.h"

namespace golden {

std::vector<Group> PostTrainingGroups();

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_POST_TRAINING_GROUPS_H_
