// What a classifier is trained on.
#ifndef NAS_LEARNING_LOSSES_H_
#define NAS_LEARNING_LOSSES_H_

#include "ATen/core/Tensor.h"

namespace nas {

// Mean over the batch of -sum_k q_k log softmax(logits)_k with q = (1 - smoothing) onehot(target) +
// smoothing / K (Szegedy et al., arXiv:1512.00567). logits [N, K], targets int64 [N]; a scalar.
at::Tensor CrossEntropy(const at::Tensor& logits, const at::Tensor& targets, double smoothing = 0);

// The same of images that show two things: the mean of share · (loss of target) + (1 − share) ·
// (loss of other). others int64 [N], shares floating-point [N].
at::Tensor MixedCrossEntropy(const at::Tensor& logits, const at::Tensor& targets,
                             const at::Tensor& others, const at::Tensor& shares,
                             double smoothing = 0);

}  // namespace nas

#endif  // NAS_LEARNING_LOSSES_H_
