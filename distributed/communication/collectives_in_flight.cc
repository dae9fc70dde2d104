#include "distributed/communication/collectives_in_flight.h"

#include <utility>

namespace distributed {

void CollectivesInFlight::Add(int channel, CollectiveInFlight collective) {
  channels_[channel].push_back(std::move(collective));
}

std::optional<CollectiveInFlight> CollectivesInFlight::First() {
  std::optional<CollectiveInFlight> first;
  for (auto& collectives : channels_) {
    while (!collectives.empty() && collectives.front().over()) collectives.pop_front();
    if (!collectives.empty() &&
        (!first.has_value() || collectives.front().sequence < first->sequence)) {
      first = collectives.front();
    }
  }
  return first;
}

}  // namespace distributed
