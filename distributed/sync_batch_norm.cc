#include "distributed/sync_batch_norm.h"

#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/native_batch_norm.h"
#include "ATen/ops/rsqrt.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/var_mean.h"
#include "ATen/ops/zeros.h"
#include "absl/status/statusor.h"
#include "c10/core/GradMode.h"
#include "distributed/status_exception.h"
#include "torch/csrc/autograd/custom_function.h"

namespace distributed {
namespace {

// Statistics of each channel over all ranks, float64 [C].
struct Moments {
  at::Tensor mean;
  at::Tensor variance;  // Biased.
  double count;         // Values per channel.
};

Moments GlobalMoments(Communicator& communicator, const at::Tensor& x) {
  const int64_t channels = x.size(1);
  const int64_t count = x.numel() / channels;
  const auto options = x.options().dtype(at::kDouble);
  at::Tensor local = at::zeros({3, channels}, options);  // Count, mean, variance.
  if (count > 0) {
    const auto [variance, mean] = at::var_mean(x, {0, 2, 3}, /*correction=*/0);
    local[0].fill_(static_cast<double>(count));
    local[1].copy_(mean);
    local[2].copy_(variance);
  }
  absl::StatusOr<at::Tensor> gathered = communicator.AllGather(local);
  ThrowIfError(gathered.status());
  const at::Tensor counts = gathered->select(1, 0);
  const at::Tensor means = gathered->select(1, 1);
  const at::Tensor variances = gathered->select(1, 2);
  const at::Tensor total = counts.sum(0);
  Moments moments;
  moments.count = total[0].item<double>();
  moments.mean = (counts * means).sum(0) / total;
  moments.variance = (counts * (variances + (means - moments.mean).square())).sum(0) / total;
  return moments;
}

at::Tensor PerChannel(const at::Tensor& values, const at::Tensor& like) {
  return values.to(like.scalar_type()).view({1, -1, 1, 1});
}

// The parts that are undefined in public are nullopt here: autograd takes no undefined arguments.
std::optional<at::Tensor> Optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

class NormalizeFunction : public torch::autograd::Function<NormalizeFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& weight,
                            const std::optional<at::Tensor>& bias, const Moments& moments,
                            double eps, Communicator* communicator) {
    const at::Tensor mean = moments.mean.to(x.scalar_type());
    const at::Tensor variance = moments.variance.to(x.scalar_type());
    context->save_for_backward({x, weight.value_or(at::Tensor()), mean, variance});
    context->saved_data["has_bias"] = bias.has_value();
    context->saved_data["count"] = moments.count;
    context->saved_data["eps"] = eps;
    // The graph keeps no owner of the communicator: it outlives every backward pass.
    context->saved_data["communicator"] = reinterpret_cast<int64_t>(communicator);
    return std::get<0>(at::native_batch_norm(x, weight, bias, mean, variance, /*training=*/false,
                                             /*momentum=*/0, eps));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const bool has_bias = context->saved_data["has_bias"].toBool();
    const double count = context->saved_data["count"].toDouble();
    const double eps = context->saved_data["eps"].toDouble();
    auto& communicator =
        *reinterpret_cast<Communicator*>(context->saved_data["communicator"].toInt());
    const at::Tensor& dy = gradients[0];

    const at::Tensor inverse_std = at::rsqrt(variance + eps);
    const at::Tensor xhat = (x - PerChannel(mean, x)).mul_(PerChannel(inverse_std, x));
    const at::Tensor sum_dy_xhat = (dy * xhat).sum({0, 2, 3});
    const at::Tensor sum_dy = dy.sum({0, 2, 3});

    // dx = weight / std · (dy - mean(dy) - x̂ · mean(dy·x̂)), the means over all ranks.
    const at::Tensor sums = at::stack({sum_dy_xhat, sum_dy}).to(at::kDouble);
    ThrowIfError(communicator.AllReduce(sums, ReduceOp::kSum));
    const at::Tensor means = (sums / count).to(x.scalar_type());
    const at::Tensor scale = weight.defined() ? weight * inverse_std : inverse_std;
    at::Tensor dx = (dy - PerChannel(means[1], x))
                        .sub_(xhat * PerChannel(means[0], x))
                        .mul_(PerChannel(scale, x));
    const at::Tensor none;
    return {
        std::move(dx), weight.defined() ? sum_dy_xhat : none, has_bias ? sum_dy : none, none, none,
        none};
  }
};

}  // namespace

at::Tensor SyncBatchNorm(Communicator& communicator, const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& bias, const at::Tensor& running_mean,
                         const at::Tensor& running_var, double momentum, double eps) {
  const Moments moments = [&] {
    const c10::NoGradGuard no_grad;
    return GlobalMoments(communicator, x);
  }();
  if (running_mean.defined()) {
    const double unbias = moments.count / (moments.count - 1);
    running_mean.lerp_(moments.mean.to(running_mean.scalar_type()), momentum);
    running_var.lerp_((moments.variance * unbias).to(running_var.scalar_type()), momentum);
  }
  return NormalizeFunction::apply(x, Optional(weight), Optional(bias), moments, eps, &communicator);
}

}  // namespace distributed
