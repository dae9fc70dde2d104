#include "tools/program/calibration.h"

#include <algorithm>

#include "base/status_macros.h"
#include "nas/derived/activation_ranges.h"
#include "torch/utils.h"

namespace tools {

absl::Status CalibrateRanges(distributed::BatchSource& source, int64_t batches,
                             nas::DerivedNetwork& network,
                             distributed::Communicator& communicator) {
  if (!nas::HasRanges(network)) return absl::OkStatus();
  const torch::NoGradGuard no_grad;
  nas::RangeCalibration calibration(network);
  RETURN_IF_ERROR(source.Seek(/*epoch=*/0, /*step=*/0));
  for (int64_t step = 0; step < std::min(batches, source.steps_per_epoch()); ++step) {
    ASSIGN_OR_RETURN(const distributed::Batch batch, source.Next());
    if (batch.images.size(0) == 0) continue;
    network.forward(batch.images.to(network.parameters().front().options()));
  }
  return calibration.Finish(communicator);
}

}  // namespace tools
