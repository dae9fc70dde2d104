#include "nas/learning/precision_search_task.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "distributed/data_parallel/use_communicator.h"
#include "nas/budget/settle_on_budget.h"
#include "nas/derived/architecture_identity.h"
#include "nas/derived/cost_report.h"
#include "nas/learning/batch_metrics.h"
#include "nas/learning/logits_summary.h"
#include "nas/learning/losses.h"
#include "nlohmann/json.hpp"
#include "quant/names.h"
#include "torch/utils.h"

namespace nas {
namespace {

using distributed::Batch;
using distributed::Metrics;

// Parameters, buffers and logits, aliasing the network's.
base::TensorMap NetworkState(const PrecisionSearchNetwork& network) {
  base::TensorMap state = base::ModuleState(network.network());
  state.merge(base::ModuleState(network.logits()));
  return state;
}

nlohmann::json ToJson(const BitCandidates& bits) {
  if (bits.activation == bits.weight) return bits.weight;
  return {{"activation", bits.activation}, {"weight", bits.weight}};
}

}  // namespace

nlohmann::json ToJson(const PrecisionSearchConfig& config) {
  return {{"bits", ToJson(config.bits)},
          {"random", config.random},
          {"cost_model", std::string(quant::CostModelName(config.cost_model))},
          {"weight_rate", ToJson(config.weight_rate)},
          {"alpha_rate", ToJson(config.alpha_rate)},
          {"momentum", config.momentum},
          {"weight_decay", config.weight_decay},
          {"grad_clip", config.grad_clip},
          {"auxiliary_weight", config.auxiliary_weight},
          {"complexity_decay", config.complexity_decay},
          {"target", ToJson(config.target)}};
}

PrecisionSearchTask::PrecisionSearchTask(const PrecisionSearchConfig& config,
                                         std::shared_ptr<DerivedNetwork> network,
                                         distributed::Communicator* communicator)
    : config_(config),
      network_(std::move(network), config.bits, config.cost_model),
      controller_(config.target, config.complexity_decay, config.steps),
      weights_("weights", NamedParameters(network_.network()),
               Optimizer::SgdOptions{config.momentum, config.weight_decay}, config.weight_rate,
               config.grad_clip),
      alphas_("alphas", NamedParameters(network_.logits()),
              Optimizer::SgdOptions{config.momentum, config.weight_decay}, config.alpha_rate,
              controller_.gradient_clip()),
      reducer_(communicator, TensorsOf({&weights_, &alphas_}), {}) {
  distributed::UseCommunicator(network_.network(), communicator);
  if (config_.random) network_.logits().Randomize();
}

void PrecisionSearchTask::BeginEpoch(int64_t epoch, int64_t epochs) { epoch_ = epoch; }

absl::StatusOr<Metrics> PrecisionSearchTask::Step(const distributed::StepContext& context,
                                                  absl::Span<const Batch> batches) {
  const Batch& batch = batches[0];
  const at::Tensor& like = weights_.tensors().front();
  const at::Tensor labels = batch.labels.to(like.device());
  network_.network().train();
  weights_.ClearGradients();
  alphas_.ClearGradients();

  const auto [logits, auxiliary_logits] = network_.Forward(ImagesLike(batch, like));
  const at::Tensor cross_entropy = CrossEntropy(logits, labels);
  at::Tensor loss = cross_entropy;
  if (auxiliary_logits.defined()) {
    loss = loss + CrossEntropy(auxiliary_logits, labels).mul(config_.auxiliary_weight);
  }
  const at::Tensor complexity = network_.Complexity();

  reducer_.Start();
  (GlobalLoss(loss, batch) + complexity.mul(controller_.weight())).backward();
  RETURN_IF_ERROR(reducer_.Finish());

  Metrics metrics;
  metrics["gradient_norm"] = GlobalMetric(weights_.Step(epoch_, context.epoch_share));
  metrics["alpha_gradient_norm"] = GlobalMetric(alphas_.Step(epoch_, context.epoch_share));
  if (controller_.steers()) {
    controller_.Observe(config_.target.Excess(network_.layout(), network_.Choices()));
  }
  AddMetrics("", cross_entropy, logits, labels, metrics);
  metrics["complexity"] = {complexity.detach(), 1};
  return metrics;
}

absl::StatusOr<Metrics> PrecisionSearchTask::Evaluate(const Batch& batch) {
  const torch::NoGradGuard no_grad;
  network_.network().eval();
  const at::Tensor& like = weights_.tensors().front();
  return EvaluationMetrics(network_.Forward(ImagesLike(batch, like)).logits, batch);
}

base::TensorMap PrecisionSearchTask::State() const {
  base::TensorMap state = NetworkState(network_);
  weights_.AppendState(state);
  alphas_.AppendState(state);
  controller_.AppendState(state);
  return state;
}

absl::Status PrecisionSearchTask::LoadState(const base::TensorMap& state) {
  RETURN_IF_ERROR(base::CopyState(WithoutOptimizers(state), NetworkState(network_)));
  RETURN_IF_ERROR(weights_.LoadState(state));
  RETURN_IF_ERROR(alphas_.LoadState(state));
  return controller_.LoadState(state);
}

nlohmann::json PrecisionSearchTask::EpochSummary() const {
  nlohmann::json summary = {
      {"learning_rate", weights_.Rate(epoch_)},
      {"logits", LogitsSummary({&network_.logits()})},
      {"cost", CostReportToJson(MakeCostReport(network_.layout(), network_.Choices()))}};
  controller_.AppendSummary(summary);
  return summary;
}

nlohmann::json PrecisionSearchTask::Config() const {
  nlohmann::json config = ToJson(config_);
  config["architecture"] = ArchitectureIdentity(network_.network().architecture());
  return config;
}

absl::StatusOr<Architecture> PrecisionSearchTask::CurrentArchitecture() const {
  const auto derive = [this](double per_bit) -> absl::StatusOr<Architecture> {
    Architecture architecture = network_.network().architecture();
    architecture.bits = network_.Choices(per_bit);
    architecture.search = ToJson(config_);
    return architecture;
  };
  if (!controller_.steers()) return derive(/*per_bit=*/0);
  const BitLogits& logits = network_.logits();
  return SettleOnBudget(
      derive, std::max(FarthestShift(logits.activation()), FarthestShift(logits.weight())),
      config_.target);
}

}  // namespace nas
