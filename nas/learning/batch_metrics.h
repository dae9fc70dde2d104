// What every classification task does with a batch: its loss as a part of the global batch's, and
// what it reports.
#ifndef NAS_LEARNING_BATCH_METRICS_H_
#define NAS_LEARNING_BATCH_METRICS_H_

#include <cstdint>
#include <string>

#include "ATen/core/Tensor.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"

namespace nas {

// Where and how a network computes.
inline at::Tensor ImagesLike(const distributed::Batch& batch, const at::Tensor& parameter) {
  return batch.images.to(parameter.options());
}

// Scales the mean loss of this rank's samples so that the mean over ranks is the mean over the
// global batch, also when the shares differ. 0 for an empty share.
at::Tensor GlobalLoss(const at::Tensor& mean_loss, const distributed::Batch& batch);

// Adds `<prefix>loss` (of this rank's mean loss), `<prefix>accuracy` and, from six classes on,
// `<prefix>top5`.
void AddMetrics(const std::string& prefix, const at::Tensor& mean_loss, const at::Tensor& logits,
                const at::Tensor& labels, distributed::Metrics& metrics);

// How many of the samples have their target among the k largest logits: 0-dimensional, float64, on
// the logits' device.
at::Tensor CountTopK(const at::Tensor& logits, const at::Tensor& targets, int64_t k);

// A 0-dimensional number that every rank has alike.
distributed::Metric GlobalMetric(const at::Tensor& value);

// AddMetrics of `logits` for `batch`, with the cross-entropy as loss.
distributed::Metrics EvaluationMetrics(const at::Tensor& logits, const distributed::Batch& batch);

}  // namespace nas

#endif  // NAS_LEARNING_BATCH_METRICS_H_
