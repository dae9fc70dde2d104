#include "nas/learning/losses.h"

#include "ATen/core/Reduction.h"
#include "ATen/ops/cross_entropy_loss.h"

namespace nas {
namespace {

at::Tensor Loss(const at::Tensor& logits, const at::Tensor& targets, int64_t reduction,
                double smoothing) {
  return at::cross_entropy_loss(logits, targets, /*weight=*/{}, reduction, /*ignore_index=*/-100,
                                smoothing);
}

}  // namespace

at::Tensor CrossEntropy(const at::Tensor& logits, const at::Tensor& targets, double smoothing) {
  return Loss(logits, targets, at::Reduction::Mean, smoothing);
}

at::Tensor MixedCrossEntropy(const at::Tensor& logits, const at::Tensor& targets,
                             const at::Tensor& others, const at::Tensor& shares, double smoothing) {
  const at::Tensor own = Loss(logits, targets, at::Reduction::None, smoothing);
  const at::Tensor other = Loss(logits, others, at::Reduction::None, smoothing);
  return other.lerp(own, shares.to(own.dtype())).mean();
}

}  // namespace nas
