#include "nas/learning/optimizer.h"

#include <memory>
#include <tuple>

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

std::vector<at::Tensor> Values(const NamedTensors& named) {
  std::vector<at::Tensor> values;
  values.reserve(named.size());
  for (const auto& [name, tensor] : named) values.push_back(tensor);
  return values;
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

}  // namespace

NamedTensors NamedParameters(const torch::nn::Module& module) {
  NamedTensors named;
  for (const auto& item : module.named_parameters()) named.emplace_back(item.key(), item.value());
  return named;
}

base::TensorMap WithoutOptimizers(const base::TensorMap& state) {
  base::TensorMap network;
  for (const auto& [name, tensor] : state) {
    if (!absl::StartsWith(name, kPrefix)) network.emplace(name, tensor);
  }
  return network;
}

Optimizer::Optimizer(NamedTensors parameters, SgdOptions options)
    : parameters_(std::move(parameters)),
      is_adam_(false),
      optimizer_(std::make_unique<torch::optim::SGD>(Values(parameters_),
                                                     torch::optim::SGDOptions(/*lr=*/0)
                                                         .momentum(options.momentum)
                                                         .weight_decay(options.weight_decay))) {}

Optimizer::Optimizer(NamedTensors parameters, AdamOptions options)
    : parameters_(std::move(parameters)),
      is_adam_(true),
      optimizer_(std::make_unique<torch::optim::Adam>(
          Values(parameters_), torch::optim::AdamOptions(/*lr=*/0)
                                   .betas(std::make_tuple(options.beta1, options.beta2))
                                   .weight_decay(options.weight_decay))) {}

void Optimizer::Step(double learning_rate) {
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(learning_rate);
  optimizer_->step();
}

std::vector<at::Tensor> Optimizer::MomentumBuffers() const {
  std::vector<at::Tensor> buffers(parameters_.size());
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
    std::unique_ptr<torch::optim::OptimizerParamState> restored;
    if (is_adam_) {
      ASSIGN_OR_RETURN(at::Tensor exp_avg, Field(state, path + "exp_avg", parameter));
      if (!exp_avg.defined()) continue;
      ASSIGN_OR_RETURN(at::Tensor exp_avg_sq, Field(state, path + "exp_avg_sq", parameter));
      const auto step = state.find(path + "step");
      if (!exp_avg_sq.defined() || step == state.end()) {
        return absl::InvalidArgumentError(absl::StrCat(path, ": the state of Adam is incomplete"));
      }
      auto adam = std::make_unique<AdamParamState>();
      adam->step(step->second.item<int64_t>());
      adam->exp_avg(exp_avg);
      adam->exp_avg_sq(exp_avg_sq);
      restored = std::move(adam);
    } else {
      ASSIGN_OR_RETURN(at::Tensor momentum, Field(state, path + "momentum_buffer", parameter));
      if (!momentum.defined()) continue;
      auto sgd = std::make_unique<SGDParamState>();
      sgd->momentum_buffer(momentum);
      restored = std::move(sgd);
    }
    optimizer_->state()[parameter.unsafeGetTensorImpl()] = std::move(restored);
  }
  return absl::OkStatus();
}

}  // namespace nas
