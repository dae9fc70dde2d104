#include "tools/program/evaluation.h"

#include "distributed/training/bad_sample_list.h"
#include "glog/logging.h"
#include "nas/learning/evaluate_network.h"
#include "tools/flags/data_flags.h"

namespace tools {

absl::StatusOr<distributed::Evaluation> EvaluateOn(distributed::BatchSource& source,
                                                   nas::DerivedNetwork& network,
                                                   distributed::Communicator& communicator) {
  distributed::BadSampleList bad_samples;
  absl::StatusOr<distributed::Evaluation> evaluation = distributed::EvaluateBatches(
      source, [&](const distributed::Batch& batch) { return nas::EvaluateNetwork(network, batch); },
      bad_samples, MaxBadSamplesFromFlags(), communicator);
  if (communicator.rank() == 0) {
    for (const nlohmann::json& bad : bad_samples.ToJson()) {
      LOG(WARNING) << "left out " << distributed::DescribeSkippedSample(bad);
    }
  }
  return evaluation;
}

}  // namespace tools
