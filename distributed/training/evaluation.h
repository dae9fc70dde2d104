// The metrics of all samples of a source, the ranks in step whatever their shares.
#ifndef DISTRIBUTED_TRAINING_EVALUATION_H_
#define DISTRIBUTED_TRAINING_EVALUATION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/bad_sample_list.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"

namespace distributed {

struct Evaluation {
  std::map<std::string, double> means;  // Of the samples that were judged.
  int64_t judged = 0;
  int64_t samples = 0;  // Judged or left out.
};

// Calls `evaluate` on this rank's share of every batch of one epoch of `source`, also where it is
// empty (then its result counts nothing), as long as no rank's source fails. Bad samples go to
// `bad_samples`, which may hold up to `max_bad_samples` (negative: any number). Every rank calls it
// and gets the same. Errors as from the source, on all ranks; DataLoss if no sample could be judged
// or too many are bad.
absl::StatusOr<Evaluation> EvaluateBatches(
    BatchSource& source, const std::function<absl::StatusOr<Metrics>(const Batch&)>& evaluate,
    BadSampleList& bad_samples, int64_t max_bad_samples, Communicator& communicator);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_EVALUATION_H_
