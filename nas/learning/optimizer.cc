#include "nas/learning/optimizer.h"

#include <memory>
#include <utility>

#include "ATen/ops/scalar_tensor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "torch/optim/adam.h"
#include "torch/optim/sgd.h"

namespace nas {
namespace {

constexpr char kPrefix[] = "optimizer/";

using torch::optim::AdamParamState;
using torch::optim::SGDParamState;

std::unique_ptr<torch::optim::Optimizer> MakeOptimizer(const NamedTensors& parameters,
                                                       const Optimizer::Options& options) {
  if (const auto* sgd = std::get_if<Optimizer::SgdOptions>(&options)) {
    return std::make_unique<torch::optim::SGD>(
        Values(parameters),
        torch::optim::SGDOptions(/*lr=*/0).momentum(sgd->momentum).weight_decay(sgd->weight_decay));
  }
  const auto& adam = std::get<Optimizer::AdamOptions>(options);
  return std::make_unique<torch::optim::Adam>(Values(parameters),
                                              torch::optim::AdamOptions(/*lr=*/0)
                                                  .betas({adam.beta1, adam.beta2})
                                                  .weight_decay(adam.weight_decay));
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

using ParamState = std::unique_ptr<torch::optim::OptimizerParamState>;

// Null for a parameter that had not stepped when the state was saved.
absl::StatusOr<ParamState> RestoreSgd(const base::TensorMap& state, const std::string& path,
                                      const at::Tensor& parameter) {
  ASSIGN_OR_RETURN(at::Tensor momentum, Field(state, path + "momentum_buffer", parameter));
  if (!momentum.defined()) return nullptr;
  auto sgd = std::make_unique<SGDParamState>();
  sgd->momentum_buffer(momentum);
  return sgd;
}

absl::StatusOr<ParamState> RestoreAdam(const base::TensorMap& state, const std::string& path,
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
      is_adam_(std::holds_alternative<AdamOptions>(options)),
      optimizer_(MakeOptimizer(parameters_, options)) {}

void Optimizer::Step(double learning_rate) {
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(learning_rate);
  optimizer_->step();
}

std::vector<at::Tensor> Optimizer::MomentumBuffers() const {
  std::vector<at::Tensor> buffers(parameters_.size());
  if (is_adam_) return buffers;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto found = optimizer_->state().find(parameters_[i].second.unsafeGetTensorImpl());
    if (found == optimizer_->state().end()) continue;
    buffers[i] = static_cast<const SGDParamState&>(*found->second).momentum_buffer();
  }
  return buffers;
}

void Optimizer::AppendState(const std::string& group, base::TensorMap& state) const {
  for (const auto& [name, parameter] : parameters_) {
    const auto found = optimizer_->state().find(parameter.unsafeGetTensorImpl());
    if (found == optimizer_->state().end()) continue;
    const std::string path = absl::StrCat(kPrefix, group, "/", name, "/");
    if (is_adam_) {
      const auto& adam = static_cast<const AdamParamState&>(*found->second);
      state[path + "step"] = at::scalar_tensor(adam.step(), at::kLong);
      state[path + "exp_avg"] = adam.exp_avg();
      state[path + "exp_avg_sq"] = adam.exp_avg_sq();
    } else {
      const auto& sgd = static_cast<const SGDParamState&>(*found->second);
      if (sgd.momentum_buffer().defined()) state[path + "momentum_buffer"] = sgd.momentum_buffer();
    }
  }
}

absl::Status Optimizer::LoadState(const std::string& group, const base::TensorMap& state) {
  for (const auto& [name, parameter] : parameters_) {
    const std::string path = absl::StrCat(kPrefix, group, "/", name, "/");
    ASSIGN_OR_RETURN(auto restored, is_adam_ ? RestoreAdam(state, path, parameter)
                                             : RestoreSgd(state, path, parameter));
    if (restored) optimizer_->state()[parameter.unsafeGetTensorImpl()] = std::move(restored);
  }
  return absl::OkStatus();
}

}  // namespace nas
