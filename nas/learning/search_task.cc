#include "nas/learning/search_task.h"

#include <utility>

#include "base/status_macros.h"
#include "distributed/data_parallel/use_communicator.h"
#include "nas/budget/settle_on_budget.h"
#include "nas/derived/derived_layout.h"
#include "nas/learning/architect.h"
#include "nas/learning/batch_metrics.h"
#include "nas/learning/losses.h"
#include "nas/space/genotype.h"
#include "nlohmann/json.hpp"
#include "torch/nn/utils/clip_grad.h"
#include "torch/utils.h"

namespace nas {
namespace {

using distributed::Batch;
using distributed::Metrics;

constexpr char kController[] = "controller";

std::vector<at::Tensor> Trained(const NamedTensors& weights, const NamedTensors& gammas) {
  std::vector<at::Tensor> tensors;
  for (const NamedTensors* group : {&weights, &gammas}) {
    for (const auto& [name, tensor] : *group) tensors.push_back(tensor);
  }
  return tensors;
}

std::vector<at::Tensor> Values(const NamedTensors& named) { return Trained(named, {}); }

void ClearGradients(const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) tensor.mutable_grad() = at::Tensor();
}

// The weights' and gammas' step needs no gradients of alphas and betas.
class Frozen {
 public:
  explicit Frozen(const std::vector<at::Tensor>& tensors) : tensors_(tensors) { Set(false); }
  ~Frozen() { Set(true); }

 private:
  void Set(bool requires_grad) const {
    for (const at::Tensor& tensor : tensors_) tensor.set_requires_grad(requires_grad);
  }
  const std::vector<at::Tensor> tensors_;
};

}  // namespace

SearchTask::SearchTask(const SearchConfig& config, std::unique_ptr<Supernet> supernet,
                       distributed::Communicator* communicator)
    : config_(config),
      supernet_(std::move(supernet)),
      communicator_(communicator),
      weights_(NamedParameters(supernet_->network()),
               Optimizer::SgdOptions{config.momentum, config.weight_decay}),
      alphas_(NamedParameters(supernet_->architecture()),
              Optimizer::AdamOptions{0.5, 0.999, config.alpha_weight_decay}),
      gammas_(NamedParameters(supernet_->precision()),
              Optimizer::SgdOptions{config.momentum, config.gamma_weight_decay}),
      reducer_(communicator, Trained(weights_.parameters(), gammas_.parameters()), {}) {
  distributed::UseCommunicator(supernet_->network(), communicator);
  if (config.target.is_set()) controller_.emplace(config.complexity_decay, config.steps);
}

void SearchTask::BeginEpoch(int64_t epoch, int64_t epochs) { epoch_ = epoch; }

absl::StatusOr<Metrics> SearchTask::Step(const distributed::StepContext& context,
                                         absl::Span<const Batch> batches) {
  const Batch& train = batches[0];
  const Batch& search = batches[1];
  Metrics metrics;
  supernet_->network().train();
  if (epoch_ >= config_.alpha_begin) {
    RETURN_IF_ERROR(StepArchitecture(train, search, metrics));
  }
  RETURN_IF_ERROR(StepWeights(train, metrics));
  return metrics;
}

absl::Status SearchTask::StepArchitecture(const Batch& train, const Batch& search,
                                          Metrics& metrics) {
  const std::vector<at::Tensor> architecture = Values(alphas_.parameters());
  const at::Tensor& like = architecture.front();
  const at::Tensor search_images = ImagesLike(search, like);
  const at::Tensor train_images = ImagesLike(train, like);
  const at::Tensor search_labels = search.labels.to(like.device());
  const at::Tensor train_labels = train.labels.to(like.device());

  const LossFunction search_loss = [&] {
    const at::Tensor logits = supernet_->Forward(search_images);
    const at::Tensor loss = CrossEntropy(logits, search_labels);
    AddMetrics("search_", loss, logits, search_labels, metrics);
    at::Tensor total = GlobalLoss(loss, search);
    // Only the expected cost depends on alpha and beta.
    if (config_.supernet.expected_cost) {
      total = total + supernet_->Complexity().mul(ComplexityWeight());
    }
    return total;
  };
  const AverageFunction average = [&](absl::Span<const at::Tensor> parameters,
                                      absl::Span<at::Tensor> gradients) {
    return distributed::ReduceGradients(*communicator_, parameters, gradients);
  };

  std::vector<at::Tensor> gradients;
  if (config_.second_order) {
    LookAhead look_ahead;
    look_ahead.train_loss = [&] {
      return GlobalLoss(CrossEntropy(supernet_->Forward(train_images), train_labels), train);
    };
    look_ahead.variables = Trained(weights_.parameters(), gammas_.parameters());
    look_ahead.momentum_buffers = weights_.MomentumBuffers();
    const std::vector<at::Tensor> gamma_buffers = gammas_.MomentumBuffers();
    look_ahead.momentum_buffers.insert(look_ahead.momentum_buffers.end(), gamma_buffers.begin(),
                                       gamma_buffers.end());
    look_ahead.buffers = supernet_->network().buffers();
    look_ahead.learning_rate = config_.weight_rate.Rate(epoch_);
    look_ahead.momentum = config_.momentum;
    look_ahead.weight_decay = config_.weight_decay;
    ASSIGN_OR_RETURN(gradients,
                     SecondOrderGradients(search_loss, architecture, look_ahead, average));
  } else {
    ASSIGN_OR_RETURN(gradients, FirstOrderGradients(search_loss, architecture, average));
  }
  for (size_t i = 0; i < architecture.size(); ++i) architecture[i].mutable_grad() = gradients[i];
  if (config_.alpha_grad_clip > 0) {
    torch::nn::utils::clip_grad_norm_(architecture, config_.alpha_grad_clip);
  }
  alphas_.Step(config_.alpha_rate);
  return absl::OkStatus();
}

absl::Status SearchTask::StepWeights(const Batch& train, Metrics& metrics) {
  const std::vector<at::Tensor> weights = Values(weights_.parameters());
  const std::vector<at::Tensor> gammas = Values(gammas_.parameters());
  const Frozen frozen(Values(alphas_.parameters()));
  ClearGradients(weights);
  ClearGradients(gammas);

  const at::Tensor labels = train.labels.to(weights.front().device());
  const at::Tensor logits = supernet_->Forward(ImagesLike(train, weights.front()));
  const at::Tensor cross_entropy = CrossEntropy(logits, labels);
  at::Tensor loss = GlobalLoss(cross_entropy, train);
  AddMetrics("", cross_entropy, logits, labels, metrics);
  if (!gammas.empty()) {
    const at::Tensor complexity = supernet_->Complexity();
    loss = loss + complexity.mul(ComplexityWeight());
    metrics["complexity"] = {complexity.detach(), 1};
  }

  reducer_.Start();
  loss.backward();
  RETURN_IF_ERROR(reducer_.Finish());
  torch::nn::utils::clip_grad_norm_(weights, config_.weight_grad_clip);
  if (controller_) torch::nn::utils::clip_grad_norm_(gammas, CostController::kGradientClip);
  weights_.Step(config_.weight_rate.Rate(epoch_));
  if (!gammas.empty()) gammas_.Step(config_.gamma_rate.Rate(epoch_));
  if (controller_) {
    ASSIGN_OR_RETURN(const double excess, Excess());
    controller_->Observe(excess);
  }
  return absl::OkStatus();
}

double SearchTask::ComplexityWeight() const {
  return controller_ ? controller_->weight() : config_.complexity_decay;
}

absl::StatusOr<double> SearchTask::Excess() const {
  ASSIGN_OR_RETURN(const Architecture found, DeriveArchitecture(supernet_->State(), Derivation()));
  ASSIGN_OR_RETURN(const DerivedLayout layout, MakeDerivedLayout(found.genotype, found.network));
  return config_.target.Excess(layout, found.bits);
}

absl::StatusOr<Metrics> SearchTask::Evaluate(const Batch& batch) {
  const torch::NoGradGuard no_grad;
  supernet_->network().eval();
  const at::Tensor& like = alphas_.parameters().front().second;
  return EvaluationMetrics(supernet_->Forward(ImagesLike(batch, like)), batch);
}

base::TensorMap SearchTask::State() const {
  base::TensorMap state = supernet_->State();
  weights_.AppendState("weights", state);
  alphas_.AppendState("alphas", state);
  gammas_.AppendState("gammas", state);
  if (controller_) controller_->AppendState(kController, state);
  return state;
}

absl::Status SearchTask::LoadState(const base::TensorMap& state) {
  base::TensorMap supernet = WithoutOptimizers(state);
  if (controller_) {
    RETURN_IF_ERROR(controller_->LoadState(kController, state));
    supernet.erase(kController);
  }
  RETURN_IF_ERROR(supernet_->LoadState(supernet));
  RETURN_IF_ERROR(weights_.LoadState("weights", state));
  RETURN_IF_ERROR(alphas_.LoadState("alphas", state));
  return gammas_.LoadState("gammas", state);
}

DerivationOptions SearchTask::Derivation() const {
  return {.network = config_.derived,
          .bits = config_.supernet.bits,
          .depth_rule = config_.depth_rule,
          .eight_bit = config_.supernet.eight_bit};
}

absl::StatusOr<Architecture> SearchTask::CurrentArchitecture() const {
  ASSIGN_OR_RETURN(Architecture architecture,
                   controller_ ? DeriveOnBudget(supernet_->State(), Derivation(), config_.target)
                               : DeriveArchitecture(supernet_->State(), Derivation()));
  architecture.search = Config();
  return architecture;
}

nlohmann::json SearchTask::EpochSummary() const {
  nlohmann::json summary = {{"learning_rate", config_.weight_rate.Rate(epoch_)}};
  const absl::StatusOr<Architecture> found = CurrentArchitecture();
  summary["genotype"] =
      found.ok() ? GenotypeToText(found->genotype) : std::string(found.status().message());
  if (controller_) {
    summary["complexity_weight"] = controller_->weight();
    if (const auto excess = Excess(); excess.ok()) summary["times_over_target"] = *excess;
  }
  return summary;
}

nlohmann::json SearchTask::Config() const { return ToJson(config_); }

}  // namespace nas
