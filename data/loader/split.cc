#include "data/loader/split.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/pixels/random.h"

namespace data {

absl::StatusOr<std::vector<std::vector<int64_t>>> StratifiedSplit(
    absl::Span<const int64_t> labels, absl::Span<const double> fractions, uint64_t seed) {
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

  std::map<int64_t, std::vector<int64_t>> classes;
  for (size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(i);
  std::vector<std::vector<int64_t>> parts(fractions.size());
  for (auto& [label, samples] : classes) {
    Random random(seed, label);
    Shuffle(samples, 0, samples.size(), random);
    double sum = 0;
    size_t first = 0;
    for (size_t part = 0; part < parts.size(); ++part) {
      sum += fractions[part];
      const size_t last = std::min<size_t>(samples.size(), std::lround(sum * samples.size()));
      parts[part].insert(parts[part].end(), samples.begin() + first, samples.begin() + last);
      first = last;
    }
  }
  for (std::vector<int64_t>& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

}  // namespace data
