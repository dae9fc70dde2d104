#include "nas/learning/losses.h"

#include <algorithm>

#include "ATen/core/Reduction.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/topk.h"

namespace nas {

at::Tensor CrossEntropy(const at::Tensor& logits, const at::Tensor& targets, double smoothing) {
  return at::cross_entropy_loss(logits, targets, /*weight=*/{}, at::Reduction::Mean,
                                /*ignore_index=*/-100, smoothing);
}

int64_t CountTopK(const at::Tensor& logits, const at::Tensor& targets, int64_t k) {
  const at::Tensor best = std::get<1>(logits.topk(std::min(k, logits.size(1)), /*dim=*/1));
  return best.eq(targets.unsqueeze(1)).sum().item<int64_t>();
}

}  // namespace nas
