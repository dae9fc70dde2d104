// Splits a training set by class, as a search needs it: weights and architecture learn from
// different samples of the same distribution.
//
//   // Half for the weights, half for the architecture:
//   ASSIGN_OR_RETURN(auto parts, StratifiedSplit(Labels(dataset), {0.5, 0.5}, /*seed=*/2));
#ifndef DATA_LOADER_SPLIT_H_
#define DATA_LOADER_SPLIT_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace data {

// One list of sample indices, ascending, per fraction. Of each class with n samples, part i gets
// round(n (f_0 + ... + f_i)) - round(n (f_0 + ... + f_i-1)) drawn ones; parts are disjoint.
// InvalidArgument unless all fractions are positive and add up to at most 1.
//
// With `run_samples` above 1, runs of so many neighbours are drawn, not samples, so that a part is
// read from the disk a run at a time; then as few samples as the counts of classes ask for, drawn,
// change their part.
absl::StatusOr<std::vector<std::vector<int64_t>>> StratifiedSplit(
    absl::Span<const int64_t> labels, absl::Span<const double> fractions, uint64_t seed,
    int64_t run_samples = 1);

}  // namespace data

#endif  // DATA_LOADER_SPLIT_H_
