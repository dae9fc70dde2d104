#include "distributed/data_parallel/gradient_bucket.h"

#include <map>
#include <string>
#include <utility>

#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "glog/logging.h"

namespace distributed {

GradientBucket::GradientBucket(absl::Span<const at::Tensor> parameters) {
  CHECK(!parameters.empty());
  int64_t size = 0;
  for (const at::Tensor& parameter : parameters) {
    sizes_.push_back(parameter.sizes().vec());
    offsets_.push_back(size);
    size += parameter.numel();
  }
  offsets_.push_back(size);
  flat_ = at::zeros({size + slots()}, parameters[0].options().requires_grad(false));
}

at::Tensor GradientBucket::Marks() const { return flat_.slice(0, offsets_.back()); }

void GradientBucket::Fill(int slot, const at::Tensor& gradient) {
  if (!gradient.defined()) return;
  const c10::NoGradGuard no_grad;
  flat_.slice(0, offsets_[slot], offsets_[slot + 1]).view(sizes_[slot]).copy_(gradient);
  Marks()[slot].fill_(1);
}

void GradientBucket::StartReduction(Communicator& communicator) {
  work_ = communicator.AllReduceAsync(flat_, ReduceOp::kMean);
}

absl::Status GradientBucket::FinishReduction(std::vector<at::Tensor>& gradients) {
  RETURN_IF_ERROR(std::exchange(work_, nullptr)->Wait());
  const at::Tensor means = std::exchange(flat_, at::zeros_like(flat_));
  const at::Tensor marks = means.slice(0, offsets_.back()).cpu().to(at::kDouble);
  gradients.resize(slots());
  for (int slot = 0; slot < slots(); ++slot) {
    const bool filled = marks.const_data_ptr<double>()[slot] > 0;
    gradients[slot] = filled ? means.slice(0, offsets_[slot], offsets_[slot + 1]).view(sizes_[slot])
                             : at::Tensor();
  }
  return absl::OkStatus();
}

std::vector<std::vector<int>> AssignBuckets(absl::Span<const at::Tensor> parameters,
                                            absl::Span<const int> order, int64_t bucket_bytes) {
  struct OpenBucket {
    std::vector<int> indices;
    int64_t bytes = 0;
  };
  std::map<std::pair<at::ScalarType, std::string>, OpenBucket> open;
  std::vector<std::vector<int>> buckets;
  for (const int index : order) {
    const at::Tensor& parameter = parameters[index];
    OpenBucket& bucket = open[{parameter.scalar_type(), parameter.device().str()}];
    bucket.indices.push_back(index);
    bucket.bytes += static_cast<int64_t>(parameter.nbytes());
    if (bucket.bytes >= bucket_bytes) {
      buckets.push_back(std::exchange(bucket, {}).indices);
    }
  }
  for (auto& [kind, bucket] : open) {
    if (!bucket.indices.empty()) buckets.push_back(std::move(bucket.indices));
  }
  return buckets;
}

}  // namespace distributed
