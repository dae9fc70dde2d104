#include "tests/golden/groups/all_groups.h"

#include "tests/golden/groups/derived_groups.h"
#include "tests/golden/groups/fixed_network_groups.h"
#include "tests/golden/groups/genotype_groups.h"
#include "tests/golden/groups/number_groups.h"
#include "tests/golden/groups/operation_groups.h"
#include "tests/golden/groups/plain_darts_groups.h"
#include "tests/golden/groups/post_training_groups.h"
#include "tests/golden/groups/precision_groups.h"
#include "tests/golden/groups/quant_groups.h"
#include "tests/golden/groups/schedule_groups.h"
#include "tests/golden/groups/supernet_groups.h"
#include "tests/golden/groups/trajectory_groups.h"

namespace golden {

std::vector<Group> AllGroups() {
  std::vector<Group> all;
  for (const std::vector<Group>& family : {
           DerivedGroups(),
           FixedNetworkGroups(),
           GenotypeGroups(),
           NumberGroups(),
           OperationGroups(),
           PlainDartsGroups(),
           PostTrainingGroups(),
           PrecisionGroups(),
           QuantGroups(),
           ScheduleGroups(),
           SupernetGroups(),
           TrajectoryGroups(),
       }) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

}  // namespace golden
