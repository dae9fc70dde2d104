#include "data/loader/split.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/pixels/random.h"

namespace data {
namespace {

// Apart from the streams of all classes, whose keys are labels.
constexpr uint64_t kRunStream = ~uint64_t{0};

// A part for each run, in the shares of the fractions; fractions.size() is that of none.
std::vector<size_t> DrawRuns(int64_t runs, absl::Span<const double> fractions, uint64_t seed) {
  std::vector<int64_t> order(runs);
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, kRunStream);
  Shuffle(order, 0, order.size(), random);
  std::vector<size_t> part_of(runs, fractions.size());
  double sum = 0;
  int64_t first = 0;
  for (size_t part = 0; part < fractions.size(); ++part) {
    sum += fractions[part];
    const int64_t last = std::min<int64_t>(runs, std::lround(sum * static_cast<double>(runs)));
    for (; first < last; ++first) part_of[order[first]] = part;
  }
  return part_of;
}

// Puts the samples of a class, which are in a drawn order, so that those which `part_of_run` gives
// to a part stand where that part takes its own from, as far as it takes as many.
void KeepRuns(std::vector<int64_t>& samples, absl::Span<const size_t> ends,
              const std::vector<size_t>& part_of_run, int64_t run_samples) {
  std::vector<std::vector<int64_t>> given(ends.size());
  std::vector<int64_t> others;
  const auto share = [ends](size_t part) { return ends[part] - (part == 0 ? 0 : ends[part - 1]); };
  for (const int64_t sample : samples) {
    const size_t part = part_of_run[sample / run_samples];
    const bool room = part < given.size() && given[part].size() < share(part);
    (room ? given[part] : others).push_back(sample);
  }
  samples.clear();
  for (size_t part = 0; part < ends.size(); ++part) {
    samples.insert(samples.end(), given[part].begin(), given[part].end());
    const size_t missing = ends[part] - samples.size();
    samples.insert(samples.end(), others.end() - missing, others.end());
    others.resize(others.size() - missing);
  }
  samples.insert(samples.end(), others.begin(), others.end());
}

}  // namespace

absl::StatusOr<std::vector<std::vector<int64_t>>> StratifiedSplit(
    absl::Span<const int64_t> labels, absl::Span<const double> fractions, uint64_t seed,
    int64_t run_samples) {
  constexpr double kRoundingError = 1e-9;
  double total = 0;
  for (const double fraction : fractions) {
    if (!(fraction > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("split: the fraction ", fraction, " is not positive"));
    }
    total += fraction;
  }
  if (total > 1 + kRoundingError) {
    return absl::InvalidArgumentError(absl::StrCat("split: the fractions add up to ", total));
  }

  const int64_t runs = (labels.size() + run_samples - 1) / run_samples;
  const std::vector<size_t> part_of_run =
      run_samples > 1 ? DrawRuns(runs, fractions, seed) : std::vector<size_t>();
  std::map<int64_t, std::vector<int64_t>> classes;
  for (size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(i);
  std::vector<std::vector<int64_t>> parts(fractions.size());
  for (auto& [label, samples] : classes) {
    Random random(seed, label);
    Shuffle(samples, 0, samples.size(), random);
    std::vector<size_t> ends;
    double sum = 0;
    for (const double fraction : fractions) {
      sum += fraction;
      ends.push_back(std::min<size_t>(samples.size(), std::lround(sum * samples.size())));
    }
    if (run_samples > 1) KeepRuns(samples, ends, part_of_run, run_samples);
    size_t first = 0;
    for (size_t part = 0; part < parts.size(); first = ends[part++]) {
      parts[part].insert(parts[part].end(), samples.begin() + first, samples.begin() + ends[part]);
    }
  }
  for (std::vector<int64_t>& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

}  // namespace data
