// The metrics of a network over a whole data set.
#ifndef TOOLS_PROGRAM_EVALUATION_H_
#define TOOLS_PROGRAM_EVALUATION_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "nas/derived/derived_network.h"

namespace tools {

// Means of nas::EvaluateNetwork's metrics over one epoch of `source`, whose shares the ranks of
// `communicator` have; every rank calls it and gets them. Errors as from the source.
absl::StatusOr<std::map<std::string, double>> EvaluateOn(distributed::BatchSource& source,
                                                         nas::DerivedNetwork& network,
                                                         distributed::Communicator& communicator);

}  // namespace tools

#endif  // TOOLS_PROGRAM_EVALUATION_H_
