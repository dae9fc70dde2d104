#include "nas/learning/evaluate_network.h"

#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "nas/learning/batch_metrics.h"

namespace nas {

distributed::Metrics EvaluateNetwork(DerivedNetwork& network, const distributed::Batch& batch) {
  const c10::NoGradGuard no_grad;
  network.eval();
  const at::Tensor like = network.parameters().front();
  return EvaluationMetrics(network.forward(ImagesLike(batch, like)).logits, batch);
}

}  // namespace nas
