#include "quant/mixed_weights.h"

#include <algorithm>
#include <cstring>

#include "ATen/ThreadLocalState.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "base/parallel.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "quant/quantizers_cpu.h"
#include "torch/csrc/autograd/custom_function.h"

namespace quant {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Where each weight begins in the result.
std::vector<int64_t> Offsets(at::TensorList weights) {
  std::vector<int64_t> offsets = {0};
  for (const at::Tensor& weight : weights) offsets.push_back(offsets.back() + weight.numel());
  return offsets;
}

// Calls body(i) in parallel, without recording of gradients. Threads have the caller's state: who
// counts memory sees what they allocate, as what this thread frees later.
template <typename Body>
void ForEachWeight(int64_t count, const Body& body) {
  const at::ThreadLocalState state;
  base::ParallelFor(0, count, 8, [&](int64_t begin, int64_t end) {
    const at::ThreadLocalStateGuard callers(state);
    const c10::NoGradGuard no_grad;
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

struct MixedWeightsFunction : torch::autograd::Function<MixedWeightsFunction> {
  static at::Tensor forward(AutogradContext* ctx, at::TensorList weights,
                            const std::vector<int64_t>& rows, const std::vector<int64_t>& bits,
                            const at::Tensor& probs, int64_t eight_bit) {
    const std::vector<int64_t> offsets = Offsets(weights);
    at::Tensor result = at::empty({offsets.back()}, probs.options().requires_grad(false));
    std::vector<at::Tensor> lattices(weights.size());
    const std::vector<at::Tensor> dense_probs = probs.detach().contiguous().unbind();
    ForEachWeight(weights.size(), [&](int64_t i) {
      const at::Tensor weight = weights[i].detach();
      lattices[i] = LatticesCpu(weight, bits, static_cast<int64_t>(Role::kWeight), eight_bit);
      const at::Tensor mixed =
          MixedQuantizeCpu(weight, dense_probs[rows[i]], lattices[i], LatticeDimOf(eight_bit));
      std::memcpy(static_cast<char*>(result.mutable_data_ptr()) +
                      offsets[i] * result.element_size(),
                  mixed.const_data_ptr(), mixed.nbytes());
    });
    variable_list saved(weights.begin(), weights.end());
    saved.insert(saved.end(), lattices.begin(), lattices.end());
    saved.push_back(probs);
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["rows"] = rows;
    ctx->saved_data["eight_bit"] = eight_bit;
    return result;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const variable_list saved = ctx->get_saved_variables();
    const std::vector<int64_t> rows = ctx->saved_data["rows"].toIntVector();
    const int64_t eight_bit = ctx->saved_data["eight_bit"].toInt();
    const size_t count = rows.size();
    const at::TensorList weights = at::TensorList(saved).slice(0, count);
    const at::Tensor& probs = saved.back();
    const std::vector<int64_t> offsets = Offsets(weights);
    const at::Tensor grad = grad_outputs[0].contiguous();
    const std::vector<at::Tensor> dense_probs = probs.detach().contiguous().unbind();
    const bool probs_need_grad = ctx->needs_input_grad(count);

    variable_list grads(count + 4);
    std::vector<at::Tensor> grad_rows(count);
    ForEachWeight(count, [&](int64_t i) {
      const at::Tensor weight = weights[i].detach();
      const at::Tensor part = grad.narrow(0, offsets[i], weight.numel()).view(weight.sizes());
      std::tie(grads[i], grad_rows[i]) =
          MixedQuantizeBackwardCpu(part, weight, dense_probs[rows[i]], saved[count + i],
                                   LatticeDimOf(eight_bit), probs_need_grad);
    });
    if (probs_need_grad) {
      at::Tensor& grad_probs = grads[count + 2] = at::zeros_like(probs);
      for (size_t i = 0; i < count; ++i) grad_probs[rows[i]].add_(grad_rows[i]);
    }
    return grads;
  }

 private:
  static int64_t LatticeDimOf(int64_t eight_bit) {
    return LatticeDim(Role::kWeight, static_cast<EightBit>(eight_bit));
  }
};

}  // namespace

at::Tensor MixedWeights(at::TensorList weights, const std::vector<int64_t>& rows,
                        at::IntArrayRef bits, const at::Tensor& probs, EightBit eight_bit) {
  TORCH_CHECK(weights.size() == rows.size(), "expected a row for each of ", weights.size(),
              " weights, got ", rows.size());
  const at::Tensor all_probs =
      bits.size() > 1 ? probs
                      : at::ones({*std::max_element(rows.begin(), rows.end()) + 1, 1},
                                 weights[0].options().requires_grad(false));
  return MixedWeightsFunction::apply(weights, rows, bits.vec(), all_probs,
                                     static_cast<int64_t>(eight_bit));
}

}  // namespace quant
