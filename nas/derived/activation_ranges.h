// The fixed ranges of a derived network's 8-bit activations.
//
// While a network trains, and in the published code always, these ranges are a batch's own, so that
// what the network says of an image depends on the images beside it. Calibrated over several
// batches and fixed, they are the same whatever the batch and the number of ranks.
//
//   RangeCalibration calibration(*network);
//   network->forward(images);                                      // a few batches, on every rank
//   RETURN_IF_ERROR(calibration.Finish(*communicator));            // now they are fixed
//   WriteWeights(path, state, style, {.ranges = ActivationRanges(*network)});
//   RETURN_IF_ERROR(SetActivationRanges(other, ranges_of_file));
#ifndef NAS_DERIVED_ACTIVATION_RANGES_H_
#define NAS_DERIVED_ACTIVATION_RANGES_H_

#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "nas/derived/derived_network.h"
#include "quant/precision_conv.h"

namespace nas {

// Whether it has 8-bit activations, and whether all of these have fixed ranges.
bool HasRanges(const DerivedNetwork& network);
bool HasFixedRanges(const DerivedNetwork& network);

// By the name of the convolution and ".activation_range", as [2, channels]: the least and the
// greatest value of each channel, on the CPU. Only those that are fixed.
base::TensorMap ActivationRanges(const DerivedNetwork& network);

// Whether it is a name of ActivationRanges.
bool IsActivationRange(absl::string_view name);

// Fixes the ranges of all 8-bit activations. InvalidArgument, naming the first range that is
// missing, of another shape, not finite or upside down; then nothing has changed. Ranges of other
// convolutions are left alone.
absl::Status SetActivationRanges(DerivedNetwork& network, const base::TensorMap& ranges);

// Observes the activations of a network for as long as it lives. Those of 8 bits pass unquantized
// meanwhile, so that the ranges do not depend on how images are divided into batches.
class RangeCalibration {
 public:
  // Sets the network to evaluation.
  explicit RangeCalibration(DerivedNetwork& network);
  ~RangeCalibration();
  RangeCalibration(const RangeCalibration&) = delete;
  RangeCalibration& operator=(const RangeCalibration&) = delete;

  // Ends the observation and fixes the ranges of all that any rank has observed. Every rank calls
  // it. FailedPrecondition naming a convolution that none has, or whose activations are not finite.
  absl::Status Finish(distributed::Communicator& communicator);

 private:
  struct Observed {
    std::string name;
    quant::PrecisionConv2dImpl* conv;
    at::Tensor low, high;  // [channels], float64 on the CPU.
  };

  DerivedNetwork& network_;
  std::vector<Observed> observed_;  // Where observers find them: it never grows.
};

}  // namespace nas

#endif  // NAS_DERIVED_ACTIVATION_RANGES_H_
