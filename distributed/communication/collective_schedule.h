// Which rank sends what to whom in collectives of few rounds, as functions of rank and size alone.
//
//   for (const GatherRound& round : DisseminationRounds(rank, size)) {
//     // Send blocks [0, round.blocks) to round.to; receive into [round.first, + round.blocks).
//   }
#ifndef DISTRIBUTED_COMMUNICATION_COLLECTIVE_SCHEDULE_H_
#define DISTRIBUTED_COMMUNICATION_COLLECTIVE_SCHEDULE_H_

#include <vector>

namespace distributed {

// Blocks are numbered from a rank's own on: its block i is that of rank (rank + i) mod size.
struct GatherRound {
  int to;      // Is sent blocks [0, blocks).
  int from;    // Sends its own, which are blocks [first, first + blocks) here.
  int first;   // Blocks at hand before the round.
  int blocks;  // Of each of the two messages.
};

// The all-gather of Bruck et al. (1997): ceil(log2(size)) rounds in each of which a rank sends one
// message and receives one, all blocks but its own once in all. No rank meets a peer twice. A rank
// has finished only if every rank has begun.
std::vector<GatherRound> DisseminationRounds(int rank, int size);

struct BroadcastPeers {
  int parent = -1;            // Of the root: none.
  std::vector<int> children;  // In the order of sending: that with the largest subtree first.
};

// The binomial tree over `size` ranks: no path from `root` is longer than ceil(log2(size)).
BroadcastPeers BinomialTree(int rank, int size, int root);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_COLLECTIVE_SCHEDULE_H_
