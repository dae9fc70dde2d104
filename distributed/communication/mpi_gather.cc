#include "distributed/communication/mpi_gather.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/status_macros.h"
#include "distributed/communication/collective_schedule.h"

namespace distributed {

absl::Status GatherDirectly(int rank, int size, int64_t bytes, void* all,
                            const ExchangeOptions& options) {
  char* const blocks = static_cast<char*>(all);
  std::vector<Message> sends, receives;
  for (int peer = 0; peer < size; ++peer) {
    if (peer == rank) continue;
    sends.push_back({peer, blocks + rank * bytes, bytes});
    receives.push_back({peer, blocks + peer * bytes, bytes});
  }
  return Exchange(sends, receives, options);
}

absl::Status GatherInRounds(int rank, int size, int64_t bytes, void* all,
                            const ExchangeOptions& options) {
  char* const in_order = static_cast<char*>(all);
  // From this rank's own on.
  const auto blocks = std::make_unique_for_overwrite<char[]>(size * bytes);
  std::copy_n(in_order + rank * bytes, bytes, blocks.get());
  for (const GatherRound& round : DisseminationRounds(rank, size)) {
    RETURN_IF_ERROR(Exchange(
        {{round.to, blocks.get(), round.blocks * bytes}},
        {{round.from, blocks.get() + round.first * bytes, round.blocks * bytes}}, options));
  }
  const int64_t before = rank * bytes, after = size * bytes - before;
  std::copy_n(blocks.get(), after, in_order + before);
  std::copy_n(blocks.get() + after, before, in_order);
  return absl::OkStatus();
}

absl::Status GatherBlocks(int rank, int size, int64_t bytes, void* all,
                          const ExchangeOptions& options) {
  return size > kDirectRanks && bytes <= kSmallBytes
             ? GatherInRounds(rank, size, bytes, all, options)
             : GatherDirectly(rank, size, bytes, all, options);
}

absl::Status BroadcastBlock(int rank, int size, int root, int64_t bytes, void* data,
                            const ExchangeOptions& options) {
  BroadcastPeers peers;
  if (size > kDirectRanks) {
    peers = BinomialTree(rank, size, root);
  } else if (rank != root) {
    peers.parent = root;
  } else {
    for (int peer = 0; peer < size; ++peer) {
      if (peer != root) peers.children.push_back(peer);
    }
  }
  if (peers.parent >= 0) RETURN_IF_ERROR(Exchange({}, {{peers.parent, data, bytes}}, options));
  std::vector<Message> sends;
  for (const int child : peers.children) sends.push_back({child, data, bytes});
  return Exchange(sends, {}, options);
}

}  // namespace distributed
