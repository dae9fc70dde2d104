#include "distributed/training/phase_times.h"

#include <utility>

#include "absl/time/clock.h"
#include "nlohmann/json.hpp"

namespace distributed {

void PhaseTimes::Begin(absl::string_view phase) {
  Count();
  phase_ = std::string(phase);
}

nlohmann::json PhaseTimes::Take() {
  Count();
  nlohmann::json seconds = nlohmann::json::object();
  for (const auto& [phase, time] : std::exchange(times_, {})) {
    seconds[phase] = absl::ToDoubleSeconds(absl::Trunc(time, absl::Microseconds(1)));
  }
  return seconds;
}

void PhaseTimes::Count() {
  const absl::Time now = absl::Now();
  if (!phase_.empty()) times_[phase_] += now - since_;
  since_ = now;
}

}  // namespace distributed
