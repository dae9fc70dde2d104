// Where the ranges of 8-bit activations come from when a network is evaluated.
#ifndef TOOLS_PROGRAM_CALIBRATION_H_
#define TOOLS_PROGRAM_CALIBRATION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "nas/derived/derived_network.h"

namespace tools {

// Fixes the ranges from the first `batches` batches of `source` (of its first epoch, at most all of
// them), whose shares the ranks of `communicator` have; every rank calls it. Reads nothing if the
// network has no 8-bit activations.
absl::Status CalibrateRanges(distributed::BatchSource& source, int64_t batches,
                             nas::DerivedNetwork& network, distributed::Communicator& communicator);

}  // namespace tools

#endif  // TOOLS_PROGRAM_CALIBRATION_H_
