#include "nas/supernet/mix_node.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "ATen/Dispatch.h"
#include "ATen/ops/dot.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/scalar_tensor.h"
#include "ATen/ops/stack.h"
#include "base/parallel.h"
#include "nas/supernet/mix_node_kernels.h"
#include "torch/csrc/autograd/custom_function.h"

namespace nas {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A task is so many elements whatever the number of threads, so that sums do not depend on it.
constexpr int64_t kTaskElements = 1 << 15;

// Calls task(index, begin, size) in parallel for the runs of `size` elements.
template <typename Task>
void ForEachTask(int64_t size, const Task& task) {
  base::ParallelFor(0, (size + kTaskElements - 1) / kTaskElements, 1, [&](int64_t from, int64_t to) {
    for (int64_t index = from; index < to; ++index) {
      const int64_t begin = index * kTaskElements;
      task(index, begin, std::min(kTaskElements, size - begin));
    }
  });
}

// sum_i weights[i] * terms[i], contiguous.
at::Tensor WeightedSum(const at::Tensor& weights, at::TensorList terms) {
  if (!weights.is_cpu()) {
    const std::vector<at::Tensor> weight = weights.unbind();
    at::Tensor sum = terms[0].mul(weight[0]).contiguous();
    for (size_t i = 1; i < terms.size(); ++i) sum.addcmul_(terms[i], weight[i]);
    return sum;
  }
  std::vector<at::Tensor> dense;
  for (const at::Tensor& term : terms) dense.push_back(term.contiguous());
  const at::Tensor dense_weights = weights.contiguous();
  at::Tensor sum = at::empty(terms[0].sizes(), terms[0].options());
  AT_DISPATCH_FLOATING_TYPES(sum.scalar_type(), "WeightedSum", [&] {
    std::vector<const scalar_t*> data;
    for (const at::Tensor& term : dense) data.push_back(term.const_data_ptr<scalar_t>());
    const scalar_t* weight = dense_weights.const_data_ptr<scalar_t>();
    scalar_t* out = sum.mutable_data_ptr<scalar_t>();
    ForEachTask(sum.numel(), [&](int64_t, int64_t begin, int64_t size) {
      WeightedSumRun(data.data(), weight, data.size(), begin, size, out + begin);
    });
  });
  return sum;
}

// The sum of all elements' products; a and b have one shape, a is contiguous. A scalar tensor.
at::Tensor Dot(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_cpu()) return a.reshape(-1).dot(b.reshape(-1));
  const at::Tensor dense = b.contiguous();
  std::vector<double> partial_sums((a.numel() + kTaskElements - 1) / kTaskElements);
  AT_DISPATCH_FLOATING_TYPES(a.scalar_type(), "Dot", [&] {
    const scalar_t *x = a.const_data_ptr<scalar_t>(), *y = dense.const_data_ptr<scalar_t>();
    ForEachTask(a.numel(), [&](int64_t task, int64_t begin, int64_t size) {
      partial_sums[task] = DotRun(x + begin, y + begin, size);
    });
  });
  return at::scalar_tensor(std::accumulate(partial_sums.begin(), partial_sums.end(), 0.0),
                           a.options());
}

// The gradients of WeightedSum for weights, then for each term; undefined where not needed.
// `first_edge` numbers the terms' edges in the graph, `weights_edge` is that of the weights.
void WeightedSumBackward(const AutogradContext& ctx, const at::Tensor& grad,
                         const at::Tensor& weights, at::TensorList terms, size_t weights_edge,
                         size_t first_edge, variable_list& grads) {
  if (ctx.needs_input_grad(weights_edge)) {
    const at::Tensor dense = grad.contiguous();
    std::vector<at::Tensor> products;
    products.reserve(terms.size());
    for (const at::Tensor& term : terms) products.push_back(Dot(dense, term));
    grads[weights_edge] = at::stack(products);
  }
  const std::vector<at::Tensor> weight = weights.unbind();
  for (size_t i = 0; i < terms.size(); ++i) {
    if (ctx.needs_input_grad(first_edge + i)) grads[first_edge + i] = grad.mul(weight[i]);
  }
}

struct MixNodeFunction : torch::autograd::Function<MixNodeFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& operation_weights,
                            at::TensorList operations, const at::Tensor& edge_weights,
                            at::TensorList bypasses) {
    ctx->saved_data["operations"] = static_cast<int64_t>(operations.size());
    variable_list saved = {operation_weights, edge_weights};
    saved.insert(saved.end(), operations.begin(), operations.end());
    saved.insert(saved.end(), bypasses.begin(), bypasses.end());
    ctx->save_for_backward(std::move(saved));

    const at::Tensor processed = WeightedSum(operation_weights, operations);
    const at::Tensor bypass = WeightedSum(edge_weights, bypasses);
    const int64_t n = processed.size(0), channels = processed.size(1), h = processed.size(2),
                  w = processed.size(3);
    const int64_t others = bypass.size(1) / channels;  // k - 1
    at::Tensor shuffled = at::empty({n, channels, 1 + others, h, w}, processed.options());
    shuffled.select(2, 0).copy_(processed);
    shuffled.narrow(2, 1, others).transpose(1, 2).copy_(bypass.view({n, others, channels, h, w}));
    return shuffled.view({n, channels * (1 + others), h, w});
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const variable_list saved = ctx->get_saved_variables();
    const int64_t num_operations = ctx->saved_data["operations"].toInt();
    const at::TensorList operations = at::TensorList(saved).slice(2, num_operations);
    const at::TensorList bypasses = at::TensorList(saved).slice(2 + num_operations);

    const int64_t n = operations[0].size(0), channels = operations[0].size(1),
                  h = operations[0].size(2), w = operations[0].size(3);
    const int64_t others = bypasses[0].size(1) / channels;
    const at::Tensor shuffled = grad_outputs[0].reshape({n, channels, 1 + others, h, w});
    const at::Tensor processed = shuffled.select(2, 0).contiguous();
    const at::Tensor bypass =
        shuffled.narrow(2, 1, others).transpose(1, 2).reshape({n, others * channels, h, w});

    // The graph's edges are in the order of forward's arguments.
    const size_t edge_weights = 1 + num_operations;
    variable_list grads(saved.size());
    WeightedSumBackward(*ctx, processed, saved[0], operations, 0, 1, grads);
    WeightedSumBackward(*ctx, bypass, saved[1], bypasses, edge_weights, edge_weights + 1, grads);
    return grads;
  }
};

}  // namespace

at::Tensor MixNode(const at::Tensor& operation_weights, at::TensorList operations,
                   const at::Tensor& edge_weights, at::TensorList bypasses) {
  return MixNodeFunction::apply(operation_weights, operations, edge_weights, bypasses);
}

}  // namespace nas
