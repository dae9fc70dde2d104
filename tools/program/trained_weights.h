// The weights of the trained network that a tool measures, and what is kept with them.
#ifndef TOOLS_PROGRAM_TRAINED_WEIGHTS_H_
#define TOOLS_PROGRAM_TRAINED_WEIGHTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "nas/derived/derived_network.h"
#include "nas/weights/weight_file.h"

namespace tools {

// Reads --weights into `network`. A dry run may come before the training that makes them: without
// the flag, nothing is read then, and what is below asks nothing. InvalidArgument naming the flag;
// errors of ReadWeightsOrCheckpoint.
absl::StatusOr<nas::WeightCompanions> TrainedWeightsFromFlag(nas::DerivedNetwork& network);

// InvalidArgument, naming both files, an index and both names, if the classes of `dataset`, which
// --test_data=`path` is, are not those that the network was trained to tell apart. Where these are
// not known, rank 0's log says that nothing was compared.
absl::Status RequireTrainedClasses(const nas::WeightCompanions& weights,
                                   const data::Dataset& dataset, const std::string& path,
                                   const distributed::Communicator& communicator);

// Fixes the ranges of the network's 8-bit activations, if it has any, to those of --weights.
// InvalidArgument naming the file if it has none, or not those of this network.
absl::Status UseKeptRanges(const nas::WeightCompanions& weights, nas::DerivedNetwork& network);

}  // namespace tools

#endif  // TOOLS_PROGRAM_TRAINED_WEIGHTS_H_
