#include "nas/fused/fused_pool.h"

#include <algorithm>
#include <vector>

#include "ATen/Dispatch.h"
#include "nas/fused/buffer_pool.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/tasks.h"
#include "nas/fused/unit_pass.h"
#include "nas/fused/why_not.h"
#include "torch/csrc/autograd/custom_function.h"

namespace nas::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedPoolFunction : torch::autograd::Function<FusedPoolFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, bool max, int64_t stride) {
    const int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
    at::Tensor y = BufferPool::Global().GetTensor(
        {x.size(0), channels, height / stride, width / stride}, x.scalar_type());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "FusedPool", [&] {
      const scalar_t* from = x.const_data_ptr<scalar_t>();
      scalar_t* to = y.mutable_data_ptr<scalar_t>();
      ForEachTask(x.size(0), [&](int64_t, int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
          PoolForward(max, channels, height, width, static_cast<int>(stride),
                      from + n * channels * height * width, height * width,
                      to + n * channels * y.size(2) * y.size(3), ThreadScratch<scalar_t>());
        }
      });
    });
    ctx->save_for_backward({x});
    ctx->saved_data["max"] = max;
    ctx->saved_data["stride"] = stride;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const at::Tensor x = ctx->get_saved_variables()[0];
    const at::Tensor grad = grad_outputs[0].contiguous();
    const bool max = ctx->saved_data["max"].toBool();
    const int stride = static_cast<int>(ctx->saved_data["stride"].toInt());
    const int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
    const int64_t in_size = height * width, out_size = grad.size(2) * grad.size(3);
    at::Tensor grad_x = BufferPool::Global().GetTensor(x.sizes(), x.scalar_type());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "FusedPoolBackward", [&] {
      const scalar_t* from = x.const_data_ptr<scalar_t>();
      const scalar_t* g = grad.const_data_ptr<scalar_t>();
      scalar_t* to = grad_x.mutable_data_ptr<scalar_t>();
      const std::vector<scalar_t> ones(channels, 1), zeros(channels, 0);
      ForEachTask(x.size(0), [&](int64_t, int64_t begin, int64_t end) {
        scalar_t* y = PassScratch<scalar_t>(kCombined, channels * out_size);
        std::fill_n(y, channels * out_size, scalar_t(0));
        for (int64_t n = begin; n < end; ++n) {
          const scalar_t* sample = from + n * channels * in_size;
          std::fill_n(to + n * channels * in_size, channels * in_size, scalar_t(0));
          // Tells which values were the greatest. Of an average only zeros of it are added.
          if (max) {
            PoolForward(max, channels, height, width, stride, sample, in_size, y,
                        ThreadScratch<scalar_t>());
          }
          PoolBackward(
              max, channels, height, width, stride, sample, in_size, y,
              {g + n * channels * out_size, out_size, y, ones.data(), zeros.data(), zeros.data()},
              to + n * channels * in_size, in_size, ThreadScratch<scalar_t>());
        }
      });
    });
    return {grad_x, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

std::string WhyNotFused(const PoolSpec& pool, const at::Tensor& x) {
  const std::string why_not = WhyNotComputed(x);
  return why_not.empty() && pool.stride == 2 ? WhyNotHalved(x) : why_not;
}

at::Tensor ApplyPool(const PoolSpec& pool, const at::Tensor& x) {
  return FusedPoolFunction::apply(x.contiguous(), pool.max, pool.stride);
}

}  // namespace nas::fused
