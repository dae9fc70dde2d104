#include "nas/learning/optimizer.h"

#include <memory>
#include <utility>

#include "ATen/ops/scalar_tensor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace nas {
namespace {

constexpr char kPrefix[] = "optimizer/";

using torch::optim::AdamParamState;

std::unique_ptr<torch::optim::Adam> MakeAdam(const std::vector<at::Tensor>& parameters,
                                             const Optimizer::Options& options) {
  const auto* adam = std::get_if<Optimizer::AdamOptions>(&options);
  if (adam == nullptr) return nullptr;
  return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(/*lr=*/0)
                                                              .betas({adam->beta1, adam->beta2})
                                                              .weight_decay(adam->weight_decay));
}

// The saved field of a parameter as a fresh tensor like `like`; undefined if it was not saved.
absl::StatusOr<at::Tensor> Field(const base::TensorMap& state, const std::string& name,
                                 const at::Tensor& like) {
  const auto found = state.find(name);
  if (found == state.end()) return at::Tensor();
  if (found->second.sizes() != like.sizes()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": has ", found->second.numel(), " elements, expected ", like.numel()));
  }
  return found->second.to(like.options(), /*non_blocking=*/false, /*copy=*/true);
}

// Null for a parameter that had not stepped when the state was saved.
absl::StatusOr<std::unique_ptr<AdamParamState>> RestoreAdam(const base::TensorMap& state,
                                                            const std::string& path,
                                                            const at::Tensor& parameter) {
  ASSIGN_OR_RETURN(at::Tensor exp_avg, Field(state, path + "exp_avg", parameter));
  if (!exp_avg.defined()) return nullptr;
  ASSIGN_OR_RETURN(at::Tensor exp_avg_sq, Field(state, path + "exp_avg_sq", parameter));
  const auto step = state.find(path + "step");
  if (!exp_avg_sq.defined() || step == state.end()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": the state of Adam is incomplete"));
  }
  auto adam = std::make_unique<AdamParamState>();
  adam->step(step->second.item<int64_t>());
  adam->exp_avg(exp_avg);
  adam->exp_avg_sq(exp_avg_sq);
  return adam;
}

}  // namespace

NamedTensors NamedParameters(const torch::nn::Module& module) {
  NamedTensors named;
  for (const auto& item : module.named_parameters()) named.emplace_back(item.key(), item.value());
  return named;
}

std::vector<at::Tensor> Values(const NamedTensors& named) {
  std::vector<at::Tensor> values;
  values.reserve(named.size());
  for (const auto& [name, tensor] : named) values.push_back(tensor);
  return values;
}

base::TensorMap WithoutOptimizers(const base::TensorMap& state) {
  base::TensorMap network;
  for (const auto& [name, tensor] : state) {
    if (!absl::StartsWith(name, kPrefix)) network.emplace(name, tensor);
  }
  return network;
}

Optimizer::Optimizer(NamedTensors parameters, const Options& options)
    : parameters_(std::move(parameters)),
      tensors_(Values(parameters_)),
      options_(options),
      momentum_buffers_(parameters_.size()),
      adam_(MakeAdam(tensors_, options)) {}

void Optimizer::Step(double learning_rate) {
  if (adam_ == nullptr) {
    SgdStep(tensors_, std::get<SgdOptions>(options_), learning_rate, momentum_buffers_);
    return;
  }
  for (auto& group : adam_->param_groups()) group.options().set_lr(learning_rate);
  adam_->step();
}

void Optimizer::AppendState(const std::string& group, base::TensorMap& state) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const std::string path = absl::StrCat(kPrefix, group, "/", parameters_[i].first, "/");
    if (adam_ == nullptr) {
      if (momentum_buffers_[i].defined()) state[path + "momentum_buffer"] = momentum_buffers_[i];
      continue;
    }
    const auto found = adam_->state().find(tensors_[i].unsafeGetTensorImpl());
    if (found == adam_->state().end()) continue;
    const auto& adam = static_cast<const AdamParamState&>(*found->second);
    state[path + "step"] = at::scalar_tensor(adam.step(), at::kLong);
    state[path + "exp_avg"] = adam.exp_avg();
    state[path + "exp_avg_sq"] = adam.exp_avg_sq();
  }
}

absl::Status Optimizer::LoadState(const std::string& group, const base::TensorMap& state) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const std::string path = absl::StrCat(kPrefix, group, "/", parameters_[i].first, "/");
    if (adam_ == nullptr) {
      ASSIGN_OR_RETURN(at::Tensor momentum, Field(state, path + "momentum_buffer", tensors_[i]));
      // What had not stepped when the state was saved.
      if (momentum.defined()) momentum_buffers_[i] = momentum;
      continue;
    }
    ASSIGN_OR_RETURN(auto restored, RestoreAdam(state, path, tensors_[i]));
    if (restored) adam_->state()[tensors_[i].unsafeGetTensorImpl()] = std::move(restored);
  }
  return absl::OkStatus();
}

}  // namespace nas
