// The order in which an epoch visits its samples: a function of (seed, epoch) alone, so every rank
// knows the order of all.
#ifndef DATA_LOADER_SAMPLER_H_
#define DATA_LOADER_SAMPLER_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"

namespace data {

enum class Order {
  kSequential,  // as given, in every epoch
  kShuffled,    // any order is as likely as any other
  // For data that does not fit the page cache: runs of neighbouring samples are shuffled, and then
  // the samples within a window of runs; so that only a window need be in memory at once.
  kQuasiRandom,
};

inline constexpr int64_t kRunSamples = 32;
inline constexpr int64_t kWindowRuns = 128;
inline constexpr int64_t kWindowSamples = kRunSamples * kWindowRuns;

// `samples` in the order of an epoch. kQuasiRandom takes neighbours in `samples` for neighbours on
// the disk, and its windows are kWindowSamples each (the last may be shorter).
std::vector<int64_t> EpochOrder(absl::Span<const int64_t> samples, Order order, uint64_t seed,
                                int64_t epoch);

// Where a rank's share of a batch of `count` samples begins and ends: shares are consecutive, and
// equal where `world_size` divides `count`.
std::pair<int64_t, int64_t> RankShare(int64_t count, int rank, int world_size);

}  // namespace data

#endif  // DATA_LOADER_SAMPLER_H_
