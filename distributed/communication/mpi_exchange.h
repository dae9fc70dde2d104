// Messages between the ranks of an MPI job that end by a deadline and say who is missing.
//
// MPI's own collectives cannot: when one hangs, no rank knows which other one did not come. Every
// collective of MpiCommunicator is therefore made of exchanges; when they take long, a roll call
// finds out who is missing, which is not always a peer of the exchange.
#ifndef DISTRIBUTED_COMMUNICATION_MPI_EXCHANGE_H_
#define DISTRIBUTED_COMMUNICATION_MPI_EXCHANGE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "distributed/communication/mpi_roll_call.h"

namespace distributed {

// A message to or from `peer`; `data` is read (sent) or written (received).
struct Message {
  int peer;
  void* data;
  int64_t bytes;
};

struct ExchangeOptions {
  int tag = 0;  // In [0, RollCall::kTag): both sides of a message name the same.
  std::function<std::string(int)> describe_rank;  // "rank 3 (node7)"
  const std::atomic<int>* waiting;  // How many threads have nothing to do but wait for the result.
  RollCall* roll_call;              // Of the collective, which has begun.
};

// Sends and receives all messages. DeadlineExceeded, once the collective has had its time, names
// the ranks that have not begun it; FailedPrecondition a peer whose message has another size, which
// means that the ranks do not run the same program; Unavailable a peer to which MPI lost the
// connection. All ranks are told of the error; one that another rank told is returned as it is.
// After an error no further MPI call may be made: the buffers are still known to MPI.
absl::Status Exchange(const std::vector<Message>& sends, const std::vector<Message>& receives,
                      const ExchangeOptions& options);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_MPI_EXCHANGE_H_
