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
  // For data that does not fit the page cache. A global batch has lanes: its places, divided
  // evenly, so that ranks have lanes of their own. Runs of neighbouring samples are shuffled and
  // dealt to the lanes, and the samples of a few runs in a row are shuffled in each: only so many
  // need be in memory at once, on that rank alone. What is left when a lane has no whole batch any
  // more is shuffled, and comes last.
  kQuasiRandom,
};

inline constexpr int64_t kRunSamples = 32;
// Runs that are shuffled together, in all lanes.
inline constexpr int64_t kWindowRuns = 256;
inline constexpr int64_t kWindowSamples = kRunSamples * kWindowRuns;

// `samples` in the order of an epoch. For kQuasiRandom samples whose indices are the same but for
// the remainder of kRunSamples are neighbours on the disk, and those that stand side by side are a
// run; only that order depends on `global_batch`, not on the number of ranks.
std::vector<int64_t> EpochOrder(absl::Span<const int64_t> samples, Order order, uint64_t seed,
                                int64_t epoch, int64_t global_batch = 1);

// Samples that come up another number of times than once an epoch: each group has its share of it.
struct Sampling {
  std::vector<int32_t> groups;  // of each sample of the dataset; empty: every sample comes up once
  std::vector<double> shares;   // of an epoch, one a group; above 0, adding up to 1

  bool any() const { return !groups.empty(); }
};

// An epoch of samples.size() draws, shuffled. A group comes up as often as its share of them asks
// for, rounded so that all add up: its samples equally often, but for as many as are left over,
// which are drawn. The draw of a sample that has come up k times before in this epoch is k ·
// dataset_size + sample, so that all that is random about it can differ. Each group has samples.
std::vector<int64_t> WeightedOrder(absl::Span<const int64_t> samples, const Sampling& sampling,
                                   uint64_t seed, int64_t epoch, int64_t dataset_size);

// Every class that `samples`, of which labels[sample] is the class, have comes up equally often.
Sampling ClassBalanced(absl::Span<const int64_t> samples, absl::Span<const int64_t> labels);

// How many lanes a global batch has: its largest divisor up to 256, so that up to as many ranks,
// where they divide it, share none.
int64_t LanesOf(int64_t global_batch);

// Where a rank's share of a batch of `count` samples begins and ends: shares are consecutive, and
// equal where `world_size` divides `count`.
std::pair<int64_t, int64_t> RankShare(int64_t count, int rank, int world_size);

}  // namespace data

#endif  // DATA_LOADER_SAMPLER_H_
