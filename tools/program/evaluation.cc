#include "tools/program/evaluation.h"

#include <cstdint>

#include "base/status_macros.h"
#include "distributed/training/metric_totals.h"
#include "nas/learning/evaluate_network.h"

namespace tools {

absl::StatusOr<std::map<std::string, double>> EvaluateOn(distributed::BatchSource& source,
                                                         nas::DerivedNetwork& network,
                                                         distributed::Communicator& communicator) {
  RETURN_IF_ERROR(source.Seek(/*epoch=*/0, /*step=*/0));
  distributed::MetricTotals totals;
  for (int64_t step = 0; step < source.steps_per_epoch(); ++step) {
    ASSIGN_OR_RETURN(const distributed::Batch batch, source.Next());
    totals.Add(nas::EvaluateNetwork(network, batch));
  }
  RETURN_IF_ERROR(totals.Reduce(communicator));
  return totals.Means();
}

}  // namespace tools
