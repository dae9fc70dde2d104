#include "nas/learning/batch_metrics.h"

#include <algorithm>
#include <tuple>

#include "ATen/ops/topk.h"
#include "nas/learning/losses.h"

namespace nas {

at::Tensor GlobalLoss(const at::Tensor& mean_loss, const distributed::Batch& batch) {
  const int64_t count = batch.labels.size(0);
  // The mean of nothing is no number. Its graph is kept: this rank's backward pass has collectives
  // in common with the others'.
  if (count == 0) return mean_loss.nan_to_num().mul(0);
  return mean_loss.mul(batch.loss_weight * count);
}

at::Tensor CountTopK(const at::Tensor& logits, const at::Tensor& targets, int64_t k) {
  const at::Tensor best = std::get<1>(logits.topk(std::min(k, logits.size(1)), /*dim=*/1));
  return best.eq(targets.unsqueeze(1)).sum(at::kDouble);
}

void AddMetrics(const std::string& prefix, const at::Tensor& mean_loss, const at::Tensor& logits,
                const at::Tensor& labels, distributed::Metrics& metrics) {
  const int64_t count = labels.size(0);
  if (count == 0) return;
  const auto correct = [&](int64_t k) {
    return distributed::Metric{CountTopK(logits, labels, k), count};
  };
  metrics[prefix + "loss"] = {mean_loss.detach().mul(count), count};
  metrics[prefix + "accuracy"] = correct(1);
  if (logits.size(1) > 5) metrics[prefix + "top5"] = correct(5);
}

distributed::Metric GlobalMetric(const at::Tensor& value) { return {value, 1}; }

distributed::Metrics EvaluationMetrics(const at::Tensor& logits, const distributed::Batch& batch) {
  const at::Tensor labels = batch.labels.to(logits.device());
  distributed::Metrics metrics;
  AddMetrics("", CrossEntropy(logits, labels), logits, labels, metrics);
  return metrics;
}

}  // namespace nas
