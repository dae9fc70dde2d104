// Messages between the ranks of an MPI job that end by a deadline and say who is missing.
//
// MPI's own collectives cannot: when one hangs, no rank knows which other one did not come. Every
// collective of MpiCommunicator is therefore made of exchanges in which a rank hears from each peer
// directly; the peers not heard from by the deadline are the missing ones.
#ifndef DISTRIBUTED_COMMUNICATION_MPI_EXCHANGE_H_
#define DISTRIBUTED_COMMUNICATION_MPI_EXCHANGE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace distributed {

// A message to or from `peer`; `data` is read (sent) or written (received).
struct Message {
  int peer;
  void* data;
  int64_t bytes;
};

struct ExchangeOptions {
  int tag = 0;  // In [0, 32768): both sides of a message name the same.
  absl::Duration timeout;
  std::function<std::string(int)> describe_rank;  // "rank 3 (node7)"
  const std::atomic<int>* waiting;  // How many threads have nothing to do but wait for the result.
};

// Sends and receives all messages. DeadlineExceeded names the peers whose message did not come (or
// was not taken); FailedPrecondition a peer whose message has another size, which means that the
// ranks do not run the same program; Unavailable a peer to which MPI lost the connection. After an
// error no further MPI call may be made: the buffers are still known to MPI.
absl::Status Exchange(const std::vector<Message>& sends, const std::vector<Message>& receives,
                      const ExchangeOptions& options);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_MPI_EXCHANGE_H_
