#include "data/loader/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>
#include <numeric>
#include <queue>

#include "data/pixels/random.h"

namespace data {
namespace {

// Apart from the streams of all samples, whose keys are sample ids.
constexpr uint64_t kOrderStream = ~uint64_t{0};

constexpr int64_t kMaxLanes = 256;
// Of a lane: fewer would be hardly a shuffle.
constexpr int64_t kMinWindowRuns = 2;

struct Run {
  size_t first;
  size_t last;
};

std::vector<Run> RunsOf(absl::Span<const int64_t> samples) {
  std::vector<Run> runs;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i == 0 || samples[i] / kRunSamples != samples[i - 1] / kRunSamples) runs.push_back({i, i});
    runs.back().last = i + 1;
  }
  return runs;
}

// Each run goes to the lane that is shortest by then, so that all end together.
std::vector<std::vector<Run>> Deal(const std::vector<Run>& runs, int64_t lanes) {
  using Length = std::pair<size_t, int64_t>;  // and the lane
  std::priority_queue<Length, std::vector<Length>, std::greater<>> shortest;
  for (int64_t lane = 0; lane < lanes; ++lane) shortest.push({0, lane});
  std::vector<std::vector<Run>> dealt(lanes);
  for (const Run& run : runs) {
    const auto [length, lane] = shortest.top();
    shortest.pop();
    dealt[lane].push_back(run);
    shortest.push({length + run.last - run.first, lane});
  }
  return dealt;
}

// The samples of a lane's runs, shuffled a window at a time.
std::vector<int64_t> LaneOrder(absl::Span<const int64_t> samples, const std::vector<Run>& runs,
                               size_t window_runs, Random& random) {
  std::vector<int64_t> order;
  size_t window = 0;  // where it begins
  for (size_t i = 0; i < runs.size(); ++i) {
    order.insert(order.end(), samples.begin() + runs[i].first, samples.begin() + runs[i].last);
    if ((i + 1) % window_runs == 0 || i + 1 == runs.size()) {
      Shuffle(order, window, order.size(), random);
      window = order.size();
    }
  }
  return order;
}

// `count` in whole parts of these shares: rounded down, and one more for those that lose most by
// it.
std::vector<int64_t> Apportion(int64_t count, absl::Span<const double> shares) {
  std::vector<int64_t> parts;
  std::vector<std::pair<double, size_t>> losses;
  for (const double share : shares) {
    const double exact = static_cast<double>(count) * share;
    losses.emplace_back(std::floor(exact) - exact, parts.size());
    parts.push_back(static_cast<int64_t>(std::floor(exact)));
  }
  std::sort(losses.begin(), losses.end());
  const int64_t rest = count - std::accumulate(parts.begin(), parts.end(), int64_t{0});
  for (int64_t i = 0; i < rest; ++i) ++parts[losses[i % losses.size()].second];
  return parts;
}

std::vector<int64_t> QuasiRandom(absl::Span<const int64_t> samples, int64_t global_batch,
                                 Random& random) {
  std::vector<Run> runs = RunsOf(samples);
  Shuffle(runs, 0, runs.size(), random);
  const int64_t lanes = LanesOf(global_batch);
  const size_t window_runs = std::max(kMinWindowRuns, kWindowRuns / lanes);
  std::vector<std::vector<int64_t>> lane_orders;
  size_t shortest = samples.size();
  for (const std::vector<Run>& dealt : Deal(runs, lanes)) {
    lane_orders.push_back(LaneOrder(samples, dealt, window_runs, random));
    shortest = std::min(shortest, lane_orders.back().size());
  }
  const size_t share = global_batch / lanes, steps = shortest / share;
  std::vector<int64_t> order;
  order.reserve(samples.size());
  for (size_t step = 0; step < steps; ++step) {
    for (const std::vector<int64_t>& lane : lane_orders) {
      order.insert(order.end(), lane.begin() + step * share, lane.begin() + (step + 1) * share);
    }
  }
  const size_t rest = order.size();
  for (const std::vector<int64_t>& lane : lane_orders) {
    order.insert(order.end(), lane.begin() + steps * share, lane.end());
  }
  Shuffle(order, rest, order.size(), random);
  return order;
}

}  // namespace

std::vector<int64_t> EpochOrder(absl::Span<const int64_t> samples, Order order, uint64_t seed,
                                int64_t epoch, int64_t global_batch) {
  Random random(seed, epoch, kOrderStream);
  if (order == Order::kQuasiRandom) return QuasiRandom(samples, global_batch, random);
  std::vector<int64_t> result(samples.begin(), samples.end());
  if (order == Order::kShuffled) Shuffle(result, 0, result.size(), random);
  return result;
}

std::vector<int64_t> WeightedOrder(absl::Span<const int64_t> samples, const Sampling& sampling,
                                   uint64_t seed, int64_t epoch, int64_t dataset_size) {
  std::vector<std::vector<int64_t>> members(sampling.shares.size());
  for (const int64_t sample : samples) members[sampling.groups[sample]].push_back(sample);
  const std::vector<int64_t> counts = Apportion(samples.size(), sampling.shares);
  Random random(seed, epoch, kOrderStream);
  std::vector<int64_t> order;
  order.reserve(samples.size());
  for (size_t group = 0; group < members.size(); ++group) {
    std::vector<int64_t>& of_group = members[group];
    Shuffle(of_group, 0, of_group.size(), random);
    const int64_t size = of_group.size();
    for (int64_t i = 0; i < counts[group]; ++i) {
      order.push_back(i / size * dataset_size + of_group[i % size]);
    }
  }
  Shuffle(order, 0, order.size(), random);
  return order;
}

Sampling ClassBalanced(absl::Span<const int64_t> samples, absl::Span<const int64_t> labels) {
  std::map<int64_t, int32_t> group_of_class;
  for (const int64_t sample : samples) group_of_class.emplace(labels[sample], 0);
  int32_t groups = 0;
  for (auto& [label, group] : group_of_class) group = groups++;
  Sampling sampling;
  sampling.shares.assign(groups, 1.0 / groups);
  for (const int64_t label : labels) {
    const auto found = group_of_class.find(label);
    sampling.groups.push_back(found == group_of_class.end() ? 0 : found->second);
  }
  return sampling;
}

int64_t LanesOf(int64_t global_batch) {
  int64_t lanes = std::min(kMaxLanes, global_batch);
  while (global_batch % lanes != 0) --lanes;
  return lanes;
}

std::pair<int64_t, int64_t> RankShare(int64_t count, int rank, int world_size) {
  return {count * rank / world_size, count * (rank + 1) / world_size};
}

}  // namespace data
