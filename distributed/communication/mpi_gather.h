// All-gather and broadcast over MPI, of few rounds on many ranks.
//
// Up to kDirectRanks ranks every message is direct: one round has the least latency. On more, R-1
// messages per rank cost more than the rounds do, and small all-gathers take ceil(log2(R)) of them
// (collective_schedule.h), with as many bytes in all; broadcasts of any size take a tree.
#ifndef DISTRIBUTED_COMMUNICATION_MPI_GATHER_H_
#define DISTRIBUTED_COMMUNICATION_MPI_GATHER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "distributed/communication/mpi_exchange.h"

namespace distributed {

constexpr int kDirectRanks = 8;

// Bytes per rank up to which latency counts, not bandwidth.
constexpr int64_t kSmallBytes = 16 << 10;

// Fills `all`, `size` blocks of `bytes` bytes in order of rank, of which this rank's is there.
// Errors are Exchange()'s.
absl::Status GatherBlocks(int rank, int size, int64_t bytes, void* all,
                          const ExchangeOptions& options);

// The two ways of GatherBlocks: a message to and from each other rank, or one in each round.
absl::Status GatherDirectly(int rank, int size, int64_t bytes, void* all,
                            const ExchangeOptions& options);
absl::Status GatherInRounds(int rank, int size, int64_t bytes, void* all,
                            const ExchangeOptions& options);

// Gives `data` of rank `root`, so many bytes, to every rank. The root and other ranks with children
// return when their messages are on their way, whether or not all ranks have begun.
absl::Status BroadcastBlock(int rank, int size, int root, int64_t bytes, void* data,
                            const ExchangeOptions& options);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_MPI_GATHER_H_
