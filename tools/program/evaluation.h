// The metrics of a network over a whole data set.
#ifndef TOOLS_PROGRAM_EVALUATION_H_
#define TOOLS_PROGRAM_EVALUATION_H_

#include "absl/status/statusor.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/evaluation.h"
#include "nas/derived/derived_network.h"

namespace tools {

// nas::EvaluateNetwork's metrics over one epoch of `source`, whose shares the ranks of
// `communicator` have; every rank calls it and gets them. Damaged samples are left out where the
// source allows it, up to --max_bad_samples, and named on standard error. Errors as from
// distributed::EvaluateBatches.
absl::StatusOr<distributed::Evaluation> EvaluateOn(distributed::BatchSource& source,
                                                   nas::DerivedNetwork& network,
                                                   distributed::Communicator& communicator);

}  // namespace tools

#endif  // TOOLS_PROGRAM_EVALUATION_H_
