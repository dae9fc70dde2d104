#include "distributed/data_parallel/sync_batch_norm.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "ATen/Dispatch.h"
#include "ATen/TensorOperators.h"
#include "ATen/ops/batch_norm_update_stats.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/native_batch_norm.h"
#include "ATen/ops/native_batch_norm_backward.h"
#include "ATen/ops/rsqrt.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "absl/status/statusor.h"
#include "base/parallel.h"
#include "c10/core/GradMode.h"
#include "distributed/communication/status_exception.h"
#include "distributed/data_parallel/batch_norm_kernels.h"
#include "torch/csrc/autograd/custom_function.h"

namespace distributed {
namespace {

constexpr int64_t kValuesPerTask = 32768;

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
    const auto [mean, variance] = at::batch_norm_update_stats(x, {}, {}, /*momentum=*/0);
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

// a·dy + b·x + c in each channel; a, b and c are [C].
at::Tensor CombineChannels(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& a,
                           const at::Tensor& b, const at::Tensor& c) {
  if (!x.device().is_cpu() || !x.is_contiguous()) {
    const auto per_channel = [](const at::Tensor& values) { return values.view({1, -1, 1, 1}); };
    return (x * per_channel(b)).add_(per_channel(c)).addcmul_(dy, per_channel(a));
  }
  const at::Tensor dense_dy = dy.contiguous();
  at::Tensor dx = at::empty_like(x);
  const int64_t channels = x.size(1), plane = x.size(2) * x.size(3);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "CombineChannels", [&] {
    const scalar_t *dys = dense_dy.const_data_ptr<scalar_t>(), *xs = x.const_data_ptr<scalar_t>();
    const scalar_t *as = a.const_data_ptr<scalar_t>(), *bs = b.const_data_ptr<scalar_t>(),
                   *cs = c.const_data_ptr<scalar_t>();
    scalar_t* dxs = dx.mutable_data_ptr<scalar_t>();
    const int64_t grain = kValuesPerTask / std::max<int64_t>(plane, 1) + 1;
    base::ParallelFor(0, x.size(0) * channels, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t offset = i * plane, channel = i % channels;
        Combine(dys + offset, xs + offset, plane, as[channel], bs[channel], cs[channel],
                dxs + offset);
      }
    });
  });
  return dx;
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
    at::Tensor sum_dy_xhat = at::zeros_like(mean), sum_dy = at::zeros_like(mean);
    if (x.numel() > 0) {
      std::tie(std::ignore, sum_dy_xhat, sum_dy) = at::native_batch_norm_backward(
          dy, x, weight, mean, variance, mean, inverse_std, /*train=*/true, eps,
          /*output_mask=*/{false, true, true});
    }

    // dx = weight / std · (dy - mean(dy) - x̂ · mean(dy·x̂)), the means over all ranks.
    const at::Tensor sums = at::stack({sum_dy_xhat, sum_dy}).to(at::kDouble);
    ThrowIfError(communicator.AllReduce(sums, ReduceOp::kSum));
    const at::Tensor means = (sums / count).to(x.scalar_type());
    const at::Tensor scale = weight.defined() ? weight * inverse_std : inverse_std;
    const at::Tensor slope = scale * inverse_std * means[0];
    at::Tensor dx = CombineChannels(dy, x, scale, -slope, slope * mean - scale * means[1]);
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
