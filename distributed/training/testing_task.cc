#include "distributed/training/testing_task.h"

#include <utility>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "distributed/data_parallel/use_communicator.h"
#include "glog/logging.h"

namespace distributed {
namespace {

constexpr int64_t kFeatures = 4;
constexpr int64_t kPixels = 6;

at::Tensor RandomParameter(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::kDouble).mul_(0.3).requires_grad_();
}

}  // namespace

TestingBatches::TestingBatches(const Communicator& communicator, int64_t samples,
                               int64_t global_batch, std::set<int64_t> damaged)
    : rank_(communicator.rank()),
      size_(communicator.size()),
      samples_(samples),
      global_batch_(global_batch),
      damaged_(std::move(damaged)) {}

absl::Status TestingBatches::Seek(int64_t epoch, int64_t step) {
  position_ = epoch * steps_per_epoch() + step;
  return absl::OkStatus();
}

absl::StatusOr<Batch> TestingBatches::Next() {
  const int64_t epoch = position_ / steps_per_epoch(), step = position_ % steps_per_epoch();
  ++position_;
  const int64_t begin = global_batch_ * rank_ / size_, end = global_batch_ * (rank_ + 1) / size_;
  std::vector<int64_t> ids;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t sample = (step * global_batch_ + i + 7 * epoch) % samples_;
    if (damaged_.count(sample) == 0) {
      ids.push_back(sample);
    } else {
      skipped_.push_back({sample, absl::StrCat("image", sample), "is damaged"});
    }
  }
  const int64_t count = ids.size();
  Batch batch;
  batch.images = at::empty({count, 3, kPixels, kPixels}, at::kDouble);
  batch.labels = at::empty({count}, at::kLong);
  batch.sample_ids = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = ids[i] % kClasses;
    at::Generator generator = at::detail::createCPUGenerator(static_cast<uint64_t>(ids[i]));
    batch.images[i].copy_(
        at::randn({3, kPixels, kPixels}, generator, at::kDouble).add_(0.5 * label));
    batch.labels[i].fill_(label);
    batch.sample_ids[i].fill_(ids[i]);
  }
  batch.global_count = global_batch_;
  batch.loss_weight = static_cast<double>(size_) / static_cast<double>(global_batch_);
  return batch;
}

TestingTask::TestingTask(Communicator* communicator, Options options)
    : options_(std::move(options)),
      kernel_(RandomParameter({kFeatures, 3, 3, 3}, 1)),
      batch_norm_(kFeatures),
      classifier_(RandomParameter({TestingBatches::kClasses, kFeatures}, 2)),
      parameters_([this] {
        batch_norm_->to(at::kDouble);
        return std::vector<at::Tensor>{kernel_, batch_norm_->weight, batch_norm_->bias,
                                       classifier_};
      }()),
      reducer_(communicator, parameters_, {.bucket_bytes = 200}) {
  UseCommunicator(*batch_norm_, communicator);
  for (const at::Tensor& parameter : parameters_) {
    momenta_.push_back(at::zeros_like(parameter).requires_grad_(false));
  }
}

void TestingTask::BeginEpoch(int64_t epoch, int64_t epochs) {
  CHECK_LT(epoch, epochs);
  learning_rate_ = options_.learning_rate * static_cast<double>(epochs - epoch) / epochs;
}

at::Tensor TestingTask::Logits(const at::Tensor& images) {
  at::Tensor features = batch_norm_->forward(at::conv2d(images, kernel_)).relu().mean({2, 3});
  if (batch_norm_->is_training()) {
    // Alike on every rank, as whatever is not drawn per sample.
    features = features.mul(at::rand({kFeatures}, at::kDouble).gt(0.2).to(at::kDouble));
  }
  return features.matmul(classifier_.t());
}

Metrics TestingTask::MetricsOf(const at::Tensor& loss_sum, const at::Tensor& logits,
                               const Batch& batch) const {
  const int64_t count = batch.labels.numel();
  return {{"loss", {loss_sum.detach(), count}},
          {"accuracy", {logits.argmax(1).eq(batch.labels).sum().to(at::kDouble), count}}};
}

absl::StatusOr<Metrics> TestingTask::Step(const StepContext& context,
                                          absl::Span<const Batch> batches) {
  if (options_.before_step) RETURN_IF_ERROR(options_.before_step(context));
  const Batch& batch = batches[0];
  batch_norm_->train();
  const at::Tensor logits = Logits(batch.images);
  const at::Tensor loss =
      at::cross_entropy_loss(logits, batch.labels, /*weight=*/{}, at::Reduction::Sum);
  for (const at::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
  reducer_.Start();
  loss.mul(batch.loss_weight).backward();
  RETURN_IF_ERROR(reducer_.Finish());
  const c10::NoGradGuard no_grad;
  at::Tensor squares = at::zeros({}, at::kDouble);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    squares = squares + parameters_[i].grad().square().sum();
    momenta_[i].mul_(0.9).add_(parameters_[i].grad());
    parameters_[i].sub_(momenta_[i], learning_rate_);
  }
  Metrics metrics = MetricsOf(loss, logits, batch);
  metrics["gradient_norm"] = {squares.sqrt(), 1};
  if (options_.edit_metrics) options_.edit_metrics(metrics);
  return metrics;
}

absl::StatusOr<Metrics> TestingTask::Evaluate(const Batch& batch) {
  const c10::NoGradGuard no_grad;
  batch_norm_->eval();
  const at::Tensor logits = Logits(batch.images);
  Metrics metrics =
      MetricsOf(at::cross_entropy_loss(logits, batch.labels, /*weight=*/{}, at::Reduction::Sum),
                logits, batch);
  if (options_.edit_metrics) options_.edit_metrics(metrics);
  return metrics;
}

base::TensorMap TestingTask::State() const {
  base::TensorMap state = {{"running_mean", batch_norm_->running_mean},
                           {"running_var", batch_norm_->running_var},
                           {"num_batches_tracked", batch_norm_->num_batches_tracked}};
  for (size_t i = 0; i < parameters_.size(); ++i) {
    state[absl::StrCat("parameter", i)] = parameters_[i];
    state[absl::StrCat("momentum", i)] = momenta_[i];
  }
  return state;
}

absl::Status TestingTask::LoadState(const base::TensorMap& state) {
  const c10::NoGradGuard no_grad;
  for (auto& [name, tensor] : State()) {
    const auto it = state.find(name);
    if (it == state.end()) return absl::InvalidArgumentError(absl::StrCat(name, ": missing"));
    tensor.copy_(it->second);
  }
  return absl::OkStatus();
}

nlohmann::json TestingTask::EpochSummary() const { return {{"learning_rate", learning_rate_}}; }

nlohmann::json TestingTask::Config() const { return {{"learning_rate", options_.learning_rate}}; }

}  // namespace distributed
