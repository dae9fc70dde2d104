#include "tests/golden/all_groups.h"

#include "tests/golden/derived_groups.h"
#include "tests/golden/genotype_groups.h"
#include "tests/golden/number_groups.h"
#include "tests/golden/operation_groups.h"
#include "tests/golden/plain_darts_groups.h"
#include "tests/golden/post_training_groups.h"
#include "tests/golden/precision_groups.h"
#include "tests/golden/quant_groups.h"
#include "tests/golden/schedule_groups.h"
#include "tests/golden/supernet_groups.h"
#include "tests/golden/trajectory_groups.h"

namespace golden {

std::vector<Group> AllGroups() {
  std::vector<Group> all;
  for (const std::vector<Group>& family : {
           DerivedGroups(),
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
