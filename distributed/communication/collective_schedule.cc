#include "distributed/communication/collective_schedule.h"

#include <algorithm>

namespace distributed {

std::vector<GatherRound> DisseminationRounds(int rank, int size) {
  std::vector<GatherRound> rounds;
  for (int at_hand = 1; at_hand < size; at_hand *= 2) {
    rounds.push_back({.to = (rank - at_hand + size) % size,
                      .from = (rank + at_hand) % size,
                      .first = at_hand,
                      .blocks = std::min(at_hand, size - at_hand)});
  }
  return rounds;
}

BroadcastPeers BinomialTree(int rank, int size, int root) {
  // Numbered from the root on, a rank's parent lacks its lowest bit, and its children have one more
  // below that.
  const int number = (rank - root + size) % size;
  BroadcastPeers peers;
  int bit = 1;
  while (bit < size && (number & bit) == 0) bit *= 2;
  if (number != 0) peers.parent = (number - bit + root) % size;
  for (bit /= 2; bit > 0; bit /= 2) {
    if (number + bit < size) peers.children.push_back((number + bit + root) % size);
  }
  return peers;
}

}  // namespace distributed
