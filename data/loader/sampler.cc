#include "data/loader/sampler.h"

#include <algorithm>
#include <numeric>

#include "data/pixels/random.h"

namespace data {
namespace {

// Apart from the streams of all samples, whose keys are sample ids.
constexpr uint64_t kOrderStream = ~uint64_t{0};

std::vector<int64_t> QuasiRandom(absl::Span<const int64_t> samples, Random& random) {
  const int64_t count = samples.size();
  std::vector<int64_t> runs((count + kRunSamples - 1) / kRunSamples);
  std::iota(runs.begin(), runs.end(), 0);
  Shuffle(runs, 0, runs.size(), random);
  // A short last run would shift all windows behind it.
  if (count % kRunSamples != 0) {
    std::iter_swap(std::find(runs.begin(), runs.end(), count / kRunSamples), runs.end() - 1);
  }
  std::vector<int64_t> order;
  order.reserve(count);
  for (const int64_t run : runs) {
    const int64_t first = run * kRunSamples, last = std::min(count, first + kRunSamples);
    order.insert(order.end(), samples.begin() + first, samples.begin() + last);
  }
  for (int64_t first = 0; first < count; first += kWindowSamples) {
    Shuffle(order, first, std::min(count, first + kWindowSamples), random);
  }
  return order;
}

}  // namespace

std::vector<int64_t> EpochOrder(absl::Span<const int64_t> samples, Order order, uint64_t seed,
                                int64_t epoch) {
  Random random(seed, epoch, kOrderStream);
  if (order == Order::kQuasiRandom) return QuasiRandom(samples, random);
  std::vector<int64_t> result(samples.begin(), samples.end());
  if (order == Order::kShuffled) Shuffle(result, 0, result.size(), random);
  return result;
}

std::pair<int64_t, int64_t> RankShare(int64_t count, int rank, int world_size) {
  return {count * rank / world_size, count * (rank + 1) / world_size};
}

}  // namespace data
