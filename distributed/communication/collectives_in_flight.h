// The collectives that a device has been told of and that are not known to be over.
//
// They run on channels: those of one end in the order in which they began, those of different ones
// in any.
#ifndef DISTRIBUTED_COMMUNICATION_COLLECTIVES_IN_FLIGHT_H_
#define DISTRIBUTED_COMMUNICATION_COLLECTIVES_IN_FLIGHT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace distributed {

struct CollectiveInFlight {
  std::string what;
  int64_t sequence;            // On all channels together.
  absl::Time deadline;         // No earlier than that of a smaller sequence number.
  std::function<bool()> over;  // Asks the device.
};

class CollectivesInFlight {
 public:
  explicit CollectivesInFlight(int channels) : channels_(channels) {}

  // The last of channel `channel`.
  void Add(int channel, CollectiveInFlight collective);

  // Forgets those that are over; the first of the others on any channel, which is also the first to
  // be overdue.
  std::optional<CollectiveInFlight> First();

 private:
  std::vector<std::deque<CollectiveInFlight>> channels_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_COLLECTIVES_IN_FLIGHT_H_
