// A derived network's metrics on a batch.
#ifndef NAS_LEARNING_EVALUATE_NETWORK_H_
#define NAS_LEARNING_EVALUATE_NETWORK_H_

#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "nas/derived/derived_network.h"

namespace nas {

// Loss and accuracy (EvaluationMetrics of nas/learning/batch_metrics.h), in evaluation mode and
// without gradients.
distributed::Metrics EvaluateNetwork(DerivedNetwork& network, const distributed::Batch& batch);

}  // namespace nas

#endif  // NAS_LEARNING_EVALUATE_NETWORK_H_
