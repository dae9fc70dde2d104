#include "nas/learning/retrain_task.h"

#include <utility>

#include "ATen/ops/where.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "distributed/data_parallel/use_communicator.h"
#include "nas/derived/architecture_identity.h"
#include "nas/learning/batch_metrics.h"
#include "nas/learning/evaluate_network.h"
#include "nas/learning/losses.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using distributed::Batch;
using distributed::Metrics;

// What a batch's images show, where the network is.
class Targets {
 public:
  Targets(const Batch& batch, c10::Device device) : labels_(batch.labels.to(device)) {
    if (!batch.other_labels.defined()) return;
    others_ = batch.other_labels.to(device);
    shares_ = batch.label_shares.to(device);
  }

  // The mean over the batch.
  at::Tensor Loss(const at::Tensor& logits, double smoothing) const {
    if (!others_.defined()) return CrossEntropy(logits, labels_, smoothing);
    return MixedCrossEntropy(logits, labels_, others_, shares_, smoothing);
  }

  // What most of each image shows.
  at::Tensor Main() const {
    return others_.defined() ? at::where(shares_.ge(0.5), labels_, others_) : labels_;
  }

 private:
  at::Tensor labels_, others_, shares_;  // As Batch has them.
};

}  // namespace

nlohmann::json ToJson(const RetrainConfig& config) {
  return {
      {"rate", ToJson(config.rate)},
      {"momentum", config.momentum},
      {"weight_decay", config.weight_decay},
      {"grad_clip", config.grad_clip},
      {"label_smoothing", config.label_smoothing},
      {"auxiliary_weight", config.auxiliary_weight},
      {"drop_path", config.drop_path},
      {"seed", config.seed},
  };
}

RetrainTask::RetrainTask(const RetrainConfig& config, std::shared_ptr<DerivedNetwork> network,
                         distributed::Communicator* communicator)
    : config_(config),
      network_(std::move(network)),
      weights_("weights", NamedParameters(*network_),
               Optimizer::SgdOptions{config.momentum, config.weight_decay}, config.rate,
               config.grad_clip),
      reducer_(communicator, weights_.tensors(), {}) {
  distributed::UseCommunicator(*network_, communicator);
}

void RetrainTask::BeginEpoch(int64_t epoch, int64_t epochs) {
  epoch_ = epoch;
  drop_path_ = config_.drop_path * epoch / epochs;
}

absl::StatusOr<Metrics> RetrainTask::Step(const distributed::StepContext& context,
                                          absl::Span<const Batch> batches) {
  const Batch& batch = batches[0];
  const at::Tensor& like = weights_.tensors().front();
  DropPath drop_path;
  if (drop_path_ > 0) {
    const uint64_t step_seed = config_.seed * 0x9e3779b97f4a7c15 + context.global_step;
    drop_path = {drop_path_,
                 DropPathMasks(network_->num_drop_path_sites(), batch.sample_ids.to(like.device()),
                               step_seed, drop_path_)};
  }

  network_->train();
  weights_.ClearGradients();
  const auto [logits, auxiliary_logits] = network_->forward(ImagesLike(batch, like), drop_path);
  const Targets targets(batch, like.device());
  const at::Tensor main_loss = targets.Loss(logits, config_.label_smoothing);
  at::Tensor loss = main_loss;
  if (auxiliary_logits.defined()) {
    loss = loss +
           targets.Loss(auxiliary_logits, config_.label_smoothing).mul(config_.auxiliary_weight);
  }

  reducer_.Start();
  GlobalLoss(loss, batch).backward();
  RETURN_IF_ERROR(reducer_.Finish());

  Metrics metrics;
  metrics["gradient_norm"] = GlobalMetric(weights_.Step(epoch_, context.epoch_share));
  AddMetrics("", main_loss, logits, targets.Main(), metrics);
  return metrics;
}

absl::StatusOr<Metrics> RetrainTask::Evaluate(const Batch& batch) {
  return EvaluateNetwork(*network_, batch);
}

base::TensorMap RetrainTask::State() const {
  base::TensorMap state = base::ModuleState(*network_);
  weights_.AppendState(state);
  return state;
}

absl::Status RetrainTask::LoadState(const base::TensorMap& state) {
  RETURN_IF_ERROR(base::CopyState(WithoutOptimizers(state), base::ModuleState(*network_)));
  return weights_.LoadState(state);
}

nlohmann::json RetrainTask::EpochSummary() const {
  return {{"learning_rate", weights_.Rate(epoch_)}, {"drop_path", drop_path_}};
}

nlohmann::json RetrainTask::Config() const {
  nlohmann::json config = ToJson(config_);
  config["architecture"] = ArchitectureIdentity(network_->architecture());
  return config;
}

}  // namespace nas
