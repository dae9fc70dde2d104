// Bits from sensitivities: how much worse a trained network gets when one of its convolutions is
// quantized and the others are not, and the bits that by the sum of that lose least on a budget.
// The baseline of AIMET's and ModelOpt's mixed precision, and of HAWQ's but for its measure.
//
//   ASSIGN_OR_RETURN(const Sensitivity measured,
//                    MeasureSensitivity(*network, candidates, batches, *communicator));
//   ASSIGN_OR_RETURN(architecture.bits, BitsFromSensitivity(measured, layout, target, false));
#ifndef NAS_LEARNING_SENSITIVITY_H_
#define NAS_LEARNING_SENSITIVITY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "nas/budget/cost_target.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/derived/precision_search_network.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

struct Sensitivity {
  std::vector<ConvBits> pairs;  // All of the candidates for activations and for weights.
  double float_loss = 0;        // Mean cross-entropy over `images` with nothing quantized.
  int64_t images = 0;
  // Of every convolution in DerivedLayout::convs, for every pair: the loss less `float_loss`.
  std::vector<std::vector<double>> rises;
};

// Measures in evaluation mode on this rank's shares `batches`; every rank calls it, with as many
// batches, and gets the means over all. Leaves all convolutions in float. DataLoss if there is no
// image, FailedPrecondition, naming the convolution, where a loss is not finite.
absl::StatusOr<Sensitivity> MeasureSensitivity(DerivedNetwork& network, const BitCandidates& bits,
                                               absl::Span<const distributed::Batch> batches,
                                               distributed::Communicator& communicator);

// BitsOnBudget (nas/budget/bits_on_budget.h) of what was measured. `couple`: convolutions that read
// one tensor get one activation width. InvalidArgument if the budget is out of reach. `target` is
// set.
absl::StatusOr<std::vector<ConvBits>> BitsFromSensitivity(const Sensitivity& sensitivity,
                                                          const DerivedLayout& layout,
                                                          const CostTarget& target, bool couple);

// {"float_loss", "images", "rises": {"<convolution>": [[activation, weight, rise], …], …}}
nlohmann::ordered_json ToJson(const Sensitivity& sensitivity, const DerivedLayout& layout);

}  // namespace nas

#endif  // NAS_LEARNING_SENSITIVITY_H_
