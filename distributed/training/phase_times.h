// Where a run's time goes: seconds by phase, as the host's clock sees them.
#ifndef DISTRIBUTED_TRAINING_PHASE_TIMES_H_
#define DISTRIBUTED_TRAINING_PHASE_TIMES_H_

#include <string>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json_fwd.hpp"

namespace distributed {

class PhaseTimes {
 public:
  // From now on, until the next call, time counts for `phase`; that before the first call for none.
  void Begin(absl::string_view phase);

  // {"data": seconds, "step": seconds, …} since the last call, the current phase's until now
  // included.
  nlohmann::json Take();

 private:
  void Count();

  absl::btree_map<std::string, absl::Duration> times_;
  std::string phase_;  // Empty before the first Begin().
  absl::Time since_ = absl::InfiniteFuture();
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_PHASE_TIMES_H_
