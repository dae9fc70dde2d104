#include "distributed/data_parallel/gradient_reducer.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>

#include "ATen/ops/from_blob.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "distributed/data_parallel/gradient_bucket.h"
#include "glog/logging.h"
#include "torch/csrc/autograd/function_hook.h"
#include "torch/csrc/autograd/variable.h"

namespace distributed {

class GradientReducer::Impl {
 public:
  Impl(Communicator* communicator, std::vector<at::Tensor> parameters,
       const GradientReducerOptions& options)
      : communicator_(*communicator), parameters_(std::move(parameters)), options_(options) {
    if (communicator_.size() == 1) return;
    for (int i = 0; i < static_cast<int>(parameters_.size()); ++i) {
      CHECK(parameters_[i].is_leaf() && parameters_[i].requires_grad());
      torch::autograd::impl::set_post_acc_grad_hooks(parameters_[i],
                                                     std::make_unique<ReadyHook>(this, i));
    }
  }

  ~Impl() {
    for (const at::Tensor& parameter : parameters_) {
      torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
    }
  }

  void Start() {
    started_ = true;
    ready_order_.clear();
    for (BucketState& bucket : buckets_) bucket.filled.assign(bucket.filled.size(), false);
    next_bucket_ = 0;
  }

  absl::Status Finish() {
    CHECK(started_) << "Finish without Start";
    started_ = false;
    if (communicator_.size() == 1) return absl::OkStatus();
    if (buckets_.empty()) RETURN_IF_ERROR(BuildBuckets());
    for (BucketState& bucket : buckets_) {
      for (size_t slot = 0; slot < bucket.filled.size(); ++slot) {
        if (!bucket.filled[slot]) FillSlot(bucket, slot);
      }
    }
    LaunchFullBuckets();
    const c10::NoGradGuard no_grad;
    std::vector<at::Tensor> means;
    for (BucketState& bucket : buckets_) {
      RETURN_IF_ERROR(bucket.gradients.FinishReduction(means));
      for (size_t slot = 0; slot < means.size(); ++slot) {
        at::Tensor& gradient = parameters_[bucket.parameters[slot]].mutable_grad();
        if (!means[slot].defined()) {
          gradient.reset();
        } else if (gradient.defined()) {
          gradient.copy_(means[slot]);
        } else {
          gradient = means[slot].clone();
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  // Runs in the backward pass, after a parameter's gradient has been accumulated.
  class ReadyHook : public torch::autograd::PostAccumulateGradHook {
   public:
    ReadyHook(Impl* reducer, int parameter) : reducer_(reducer), parameter_(parameter) {}
    void operator()(const torch::autograd::Variable&) override { reducer_->OnReady(parameter_); }

   private:
    Impl* reducer_;
    int parameter_;
  };

  struct BucketState {
    GradientBucket gradients;
    std::vector<int> parameters;  // The parameter in each slot.
    std::vector<bool> filled;     // By slot, since Start().
  };

  struct Slot {
    int bucket;
    int slot;
  };

  void OnReady(int parameter) {
    if (!started_) return;
    if (buckets_.empty()) {
      ready_order_.push_back(parameter);
      return;
    }
    const Slot slot = slots_[parameter];
    CHECK(!buckets_[slot.bucket].filled[slot.slot])
        << "two backward passes between Start and Finish";
    FillSlot(buckets_[slot.bucket], slot.slot);
    LaunchFullBuckets();
  }

  void FillSlot(BucketState& bucket, int slot) {
    bucket.gradients.Fill(slot, parameters_[bucket.parameters[slot]].grad());
    bucket.filled[slot] = true;
  }

  // Every rank launches its buckets in the same order, whichever is full first.
  void LaunchFullBuckets() {
    while (next_bucket_ < buckets_.size()) {
      BucketState& bucket = buckets_[next_bucket_];
      if (!std::all_of(bucket.filled.begin(), bucket.filled.end(),
                       [](bool filled) { return filled; }))
        return;
      bucket.gradients.StartReduction(communicator_);
      ++next_bucket_;
    }
  }

  // Fills buckets in the order in which rank 0 saw gradients become ready; parameters it did not
  // see come last.
  absl::Status BuildBuckets() {
    std::vector<int> order = ready_order_;
    std::vector<bool> seen(parameters_.size(), false);
    for (const int parameter : order) seen[parameter] = true;
    for (int i = 0; i < static_cast<int>(parameters_.size()); ++i) {
      if (!seen[i]) order.push_back(i);
    }
    RETURN_IF_ERROR(communicator_.Broadcast(
        at::from_blob(order.data(), {static_cast<int64_t>(order.size())}, at::kInt), /*root=*/0));
    for (std::vector<int>& indices : AssignBuckets(parameters_, order, options_.bucket_bytes)) {
      std::vector<at::Tensor> members;
      for (const int parameter : indices) members.push_back(parameters_[parameter]);
      const size_t slots = indices.size();
      buckets_.push_back(
          {GradientBucket(members), std::move(indices), std::vector<bool>(slots, false)});
    }
    slots_.resize(parameters_.size());
    for (int b = 0; b < static_cast<int>(buckets_.size()); ++b) {
      for (int s = 0; s < static_cast<int>(buckets_[b].parameters.size()); ++s) {
        slots_[buckets_[b].parameters[s]] = {b, s};
      }
    }
    return absl::OkStatus();
  }

  Communicator& communicator_;
  std::vector<at::Tensor> parameters_;
  const GradientReducerOptions options_;
  bool started_ = false;
  std::vector<int> ready_order_;      // Only until the buckets are built.
  std::vector<BucketState> buckets_;  // Empty until the first Finish().
  std::vector<Slot> slots_;           // By parameter.
  size_t next_bucket_ = 0;            // The first that has not been launched since Start().
};

GradientReducer::GradientReducer(Communicator* communicator, std::vector<at::Tensor> parameters,
                                 const GradientReducerOptions& options)
    : impl_(std::make_unique<Impl>(communicator, std::move(parameters), options)) {}
GradientReducer::~GradientReducer() = default;

void GradientReducer::Start() { impl_->Start(); }
absl::Status GradientReducer::Finish() { return impl_->Finish(); }

absl::Status ReduceGradients(Communicator& communicator, absl::Span<const at::Tensor> like,
                             absl::Span<at::Tensor> gradients) {
  CHECK_EQ(like.size(), gradients.size());
  if (communicator.size() == 1) return absl::OkStatus();
  std::vector<int> order(like.size());
  std::iota(order.begin(), order.end(), 0);
  for (const std::vector<int>& indices :
       AssignBuckets(like, order, /*bucket_bytes=*/std::numeric_limits<int64_t>::max())) {
    std::vector<at::Tensor> members;
    for (const int i : indices) members.push_back(like[i]);
    GradientBucket bucket(members);
    for (int slot = 0; slot < bucket.slots(); ++slot) bucket.Fill(slot, gradients[indices[slot]]);
    bucket.StartReduction(communicator);
    std::vector<at::Tensor> means;
    RETURN_IF_ERROR(bucket.FinishReduction(means));
    for (int slot = 0; slot < bucket.slots(); ++slot) gradients[indices[slot]] = means[slot];
  }
  return absl::OkStatus();
}

}  // namespace distributed
