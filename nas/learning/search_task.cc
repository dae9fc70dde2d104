#include "nas/learning/search_task.h"

#include <algorithm>
#include <utility>

#include "base/module_state.h"
#include "base/status_macros.h"
#include "distributed/data_parallel/use_communicator.h"
#include "nas/budget/settle_on_budget.h"
#include "nas/derived/derived_layout.h"
#include "nas/learning/batch_metrics.h"
#include "nas/learning/logits_summary.h"
#include "nas/learning/losses.h"
#include "nas/space/cell_picture.h"
#include "nas/space/genotype.h"
#include "nlohmann/json.hpp"
#include "torch/utils.h"

namespace nas {
namespace {

using distributed::Batch;
using distributed::Metrics;

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

base::TensorMap Logits(Supernet& supernet) {
  base::TensorMap logits = base::ModuleState(supernet.architecture());
  logits.merge(base::ModuleState(supernet.precision()));
  return logits;
}

base::TensorMap Copies(const base::TensorMap& tensors) {
  base::TensorMap copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, tensor.detach().clone());
  return copies;
}

// As the gammas', where alphas feel the cost as well; 0: none.
double AlphaClip(const SearchConfig& config, const CostController& controller) {
  const double steering = config.supernet.expected_cost ? controller.gradient_clip() : 0;
  if (steering == 0 || config.alpha_grad_clip == 0) {
    return std::max(steering, config.alpha_grad_clip);
  }
  return std::min(steering, config.alpha_grad_clip);
}

Optimizer::Options GammaOptions(const SearchConfig& config) {
  if (config.gamma_optimizer == SearchConfig::GammaOptimizer::kAdam) {
    return Optimizer::AdamOptions{0.5, 0.999, config.gamma_weight_decay};
  }
  return Optimizer::SgdOptions{config.momentum, config.gamma_weight_decay};
}

}  // namespace

SearchTask::SearchTask(const SearchConfig& config, std::unique_ptr<Supernet> supernet,
                       distributed::Communicator* communicator)
    : config_(config),
      supernet_(std::move(supernet)),
      start_(Copies(Logits(*supernet_))),
      communicator_(communicator),
      controller_(config.target, config.complexity_decay, config.steps),
      weights_("weights", NamedParameters(supernet_->network()),
               Optimizer::SgdOptions{config.momentum, config.weight_decay}, config.weight_rate,
               config.weight_grad_clip),
      alphas_("alphas", NamedParameters(supernet_->architecture()),
              Optimizer::AdamOptions{0.5, 0.999, config.alpha_weight_decay}, config.alpha_rate,
              AlphaClip(config, controller_)),
      gammas_("gammas", NamedParameters(supernet_->precision()), GammaOptions(config),
              config.gamma_rate, controller_.gradient_clip()),
      reducer_(communicator, TensorsOf({&weights_, &gammas_}), {}) {
  distributed::UseCommunicator(supernet_->network(), communicator);
}

void SearchTask::BeginEpoch(int64_t epoch, int64_t epochs) { epoch_ = epoch; }

bool SearchTask::UsesStream(size_t stream) const { return stream == 0 || AlphasMove(); }

absl::StatusOr<Metrics> SearchTask::Step(const distributed::StepContext& context,
                                         absl::Span<const Batch> batches) {
  const Batch& train = batches[0];
  const Batch& search = batches[1];
  Metrics metrics;
  epoch_share_ = context.epoch_share;
  supernet_->DrawChannels();
  supernet_->network().train();
  if (AlphasMove()) RETURN_IF_ERROR(StepArchitecture(train, search, metrics));
  RETURN_IF_ERROR(StepWeights(train, metrics));
  return metrics;
}

absl::Status SearchTask::StepArchitecture(const Batch& train, const Batch& search,
                                          Metrics& metrics) {
  ASSIGN_OR_RETURN(const std::vector<at::Tensor> gradients,
                   ArchitectureGradients(train, search, metrics));
  for (size_t i = 0; i < gradients.size(); ++i) {
    alphas_.tensors()[i].mutable_grad() = gradients[i];
  }
  metrics["alpha_gradient_norm"] = GlobalMetric(alphas_.Step(epoch_, epoch_share_));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<at::Tensor>> SearchTask::ArchitectureGradients(const Batch& train,
                                                                          const Batch& search,
                                                                          Metrics& metrics) {
  const at::Tensor& like = alphas_.tensors().front();
  const at::Tensor search_images = ImagesLike(search, like);
  const at::Tensor search_labels = search.labels.to(like.device());
  const LossFunction search_loss = [&] {
    const at::Tensor logits = supernet_->Forward(search_images);
    const at::Tensor loss = CrossEntropy(logits, search_labels);
    AddMetrics("search_", loss, logits, search_labels, metrics);
    at::Tensor total = GlobalLoss(loss, search);
    // Only the expected cost depends on alpha and beta.
    if (config_.supernet.expected_cost) {
      total = total + supernet_->Complexity().mul(controller_.weight());
    }
    return total;
  };
  const AverageFunction average = [&](absl::Span<const at::Tensor> parameters,
                                      absl::Span<at::Tensor> gradients) {
    return distributed::ReduceGradients(*communicator_, parameters, gradients);
  };
  if (!config_.second_order) return FirstOrderGradients(search_loss, alphas_.tensors(), average);

  const at::Tensor train_images = ImagesLike(train, like);
  const at::Tensor train_labels = train.labels.to(like.device());
  LookAhead look_ahead = MakeLookAhead();
  look_ahead.train_loss = [&] {
    return GlobalLoss(CrossEntropy(supernet_->Forward(train_images), train_labels), train);
  };
  return SecondOrderGradients(search_loss, alphas_.tensors(), look_ahead, average);
}

LookAhead SearchTask::MakeLookAhead() const {
  LookAhead look_ahead;
  look_ahead.variables = TensorsOf({&weights_, &gammas_});
  look_ahead.momentum_buffers = weights_.MomentumBuffers();
  const std::vector<at::Tensor> gamma_buffers = gammas_.MomentumBuffers();
  look_ahead.momentum_buffers.insert(look_ahead.momentum_buffers.end(), gamma_buffers.begin(),
                                     gamma_buffers.end());
  look_ahead.buffers = supernet_->network().buffers();
  look_ahead.learning_rate = weights_.Rate(epoch_, epoch_share_);
  look_ahead.momentum = config_.momentum;
  look_ahead.weight_decay = config_.weight_decay;
  return look_ahead;
}

absl::Status SearchTask::StepWeights(const Batch& train, Metrics& metrics) {
  const Frozen frozen(alphas_.tensors());
  weights_.ClearGradients();
  gammas_.ClearGradients();

  const at::Tensor& like = weights_.tensors().front();
  const at::Tensor labels = train.labels.to(like.device());
  const at::Tensor logits = supernet_->Forward(ImagesLike(train, like));
  const at::Tensor cross_entropy = CrossEntropy(logits, labels);
  at::Tensor loss = GlobalLoss(cross_entropy, train);
  AddMetrics("", cross_entropy, logits, labels, metrics);
  const bool has_gammas = !gammas_.tensors().empty();
  if (has_gammas) {
    const at::Tensor complexity = supernet_->Complexity();
    loss = loss + complexity.mul(controller_.weight());
    metrics["complexity"] = {complexity.detach(), 1};
  }

  reducer_.Start();
  loss.backward();
  RETURN_IF_ERROR(reducer_.Finish());
  metrics["gradient_norm"] = GlobalMetric(weights_.Step(epoch_, epoch_share_));
  if (has_gammas) {
    metrics["gamma_gradient_norm"] = GlobalMetric(gammas_.Step(epoch_, epoch_share_));
  }
  // Before alphas move, the operations are the initial draw's, and so is what they cost: bits would
  // pay for them, and what was steered in vain would drown all else once alphas feel it.
  if (controller_.steers() && AlphasMove()) {
    ASSIGN_OR_RETURN(const double excess, Excess());
    controller_.Observe(excess);
  }
  return absl::OkStatus();
}

absl::StatusOr<double> SearchTask::Excess() const {
  ASSIGN_OR_RETURN(const Architecture found, DeriveArchitecture(supernet_->State(), Derivation()));
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(found));
  return config_.target.Excess(layout, found.bits);
}

absl::StatusOr<Metrics> SearchTask::Evaluate(const Batch& batch) {
  const torch::NoGradGuard no_grad;
  supernet_->network().eval();
  return EvaluationMetrics(supernet_->Forward(ImagesLike(batch, alphas_.tensors().front())), batch);
}

base::TensorMap SearchTask::State() const {
  base::TensorMap state = supernet_->State();
  weights_.AppendState(state);
  alphas_.AppendState(state);
  gammas_.AppendState(state);
  controller_.AppendState(state);
  return state;
}

absl::Status SearchTask::LoadState(const base::TensorMap& state) {
  RETURN_IF_ERROR(supernet_->LoadState(WithoutOptimizers(state)));
  RETURN_IF_ERROR(weights_.LoadState(state));
  RETURN_IF_ERROR(alphas_.LoadState(state));
  RETURN_IF_ERROR(gammas_.LoadState(state));
  return controller_.LoadState(state);
}

DerivationOptions SearchTask::Derivation() const {
  return {.network = config_.derived,
          .bits = config_.supernet.bits,
          .depth_rule = config_.depth_rule,
          .eight_bit = config_.supernet.eight_bit};
}

absl::StatusOr<Architecture> SearchTask::CurrentArchitecture() const {
  ASSIGN_OR_RETURN(Architecture architecture,
                   controller_.steers()
                       ? DeriveOnBudget(supernet_->State(), Derivation(), config_.target)
                       : DeriveArchitecture(supernet_->State(), Derivation()));
  architecture.search = Config();
  ASSIGN_OR_RETURN(const auto decisiveness, CurrentDecisiveness());
  architecture.search["decisiveness"] = ToJson(decisiveness);
  return architecture;
}

absl::StatusOr<std::map<std::string, Decisiveness>> SearchTask::CurrentDecisiveness() const {
  return MeasureDecisiveness(start_, Logits(*supernet_));
}

nlohmann::json SearchTask::EpochSummary() const {
  nlohmann::json summary = {{"learning_rate", weights_.Rate(epoch_)}};
  summary["logits"] = LogitsSummary({&supernet_->architecture(), &supernet_->precision()});
  const absl::StatusOr<Architecture> found = CurrentArchitecture();
  summary["genotype"] =
      found.ok() ? GenotypeToText(found->genotype) : std::string(found.status().message());
  if (const auto decisiveness = CurrentDecisiveness(); decisiveness.ok()) {
    summary["decisiveness"] = ToJson(*decisiveness);
  }
  controller_.AppendSummary(summary);
  return summary;
}

nlohmann::json SearchTask::Config() const { return ToJson(config_); }

std::map<std::string, base::Picture> SearchTask::Pictures() const {
  const absl::StatusOr<Architecture> found = CurrentArchitecture();
  if (!found.ok()) return {};
  return {{"cells/normal", DrawCell(found->genotype.normal)},
          {"cells/reduction", DrawCell(found->genotype.reduce)}};
}

}  // namespace nas
