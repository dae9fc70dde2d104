#include "quant/mixed_weights.h"

#include <algorithm>
#include <utility>

#include "ATen/Dispatch.h"
#include "ATen/core/LegacyTypeDispatch.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "base/parallel.h"
#include "c10/util/Exception.h"
#include "quant/kernel_inputs.h"
#include "quant/weight_mixture.h"
#include "torch/csrc/autograd/custom_function.h"
#include "torch/custom_class.h"

namespace quant {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Where each weight, and what belongs to it, stands among all.
struct Plan : torch::CustomClassHolder {
  struct Part {
    int64_t begin = 0;     // In the result.
    int64_t lattices = 0;  // The first of its lattices.
    int64_t row = 0;       // Its probabilities.
    WeightLayout layout;
  };

  Plan(at::TensorList weights, const std::vector<int64_t>& rows, const std::vector<int64_t>& bits,
       EightBit eight_bit)
      : bits(bits), eight_bit(eight_bit) {
    const int64_t dim = LatticeDim(Role::kWeight, eight_bit);
    for (size_t i = 0; i < weights.size(); ++i) {
      const at::Tensor& weight = weights[i];
      const int64_t channels = NeedsOf(weight, bits, Role::kWeight, eight_bit).channels;
      const int64_t inner = LayoutOf(weight, channels, dim).inner;
      const WeightLayout layout = {weight.numel() / (channels * inner), channels, inner};
      parts.push_back({size, lattices, rows[i], layout});
      size += weight.numel();
      lattices += channels * static_cast<int64_t>(bits.size());
    }
  }

  const std::vector<int64_t> bits;
  const EightBit eight_bit;
  std::vector<Part> parts;
  int64_t size = 0;
  int64_t lattices = 0;
};

// Calls body(i, weight, scratch) for every weight, in parallel.
template <typename T, typename Body>
void ForEachWeight(at::TensorList weights, const Body& body) {
  base::ParallelFor(0, weights.size(), 8, [&](int64_t begin, int64_t end) {
    typename WeightMixture<T>::Scratch scratch;
    for (int64_t i = begin; i < end; ++i) body(i, weights[i].const_data_ptr<T>(), scratch);
  });
}

std::vector<at::Tensor> Dense(at::TensorList tensors) {
  std::vector<at::Tensor> dense;
  dense.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) dense.push_back(tensor.contiguous());
  return dense;
}

struct MixedWeightsFunction : torch::autograd::Function<MixedWeightsFunction> {
  static at::Tensor forward(AutogradContext* ctx, at::TensorList weights,
                            const std::vector<int64_t>& rows, const std::vector<int64_t>& bits,
                            const at::Tensor& probs, int64_t eight_bit) {
    const auto plan =
        c10::make_intrusive<Plan>(weights, rows, bits, static_cast<EightBit>(eight_bit));
    const auto options = weights[0].options().requires_grad(false);
    at::Tensor result = at::empty({plan->size}, options);
    at::Tensor lattices;
    const std::vector<at::Tensor> dense = Dense(weights);
    const at::Tensor dense_probs = probs.contiguous();
    const int64_t count = bits.size();
    AT_DISPATCH_FLOATING_TYPES(result.scalar_type(), "MixedWeights", [&] {
      lattices = at::empty({plan->lattices * kLatticeFields<scalar_t>}, options);
      auto* all = reinterpret_cast<Lattice<scalar_t>*>(lattices.mutable_data_ptr<scalar_t>());
      const scalar_t* p = dense_probs.const_data_ptr<scalar_t>();
      scalar_t* mixed = result.mutable_data_ptr<scalar_t>();
      ForEachWeight<scalar_t>(dense, [&](int64_t i, const scalar_t* weight, auto& scratch) {
        const Plan::Part& part = plan->parts[i];
        const WeightMixture<scalar_t> mixture(weight, part.layout, scratch);
        mixture.MakeLattices(bits, plan->eight_bit, all + part.lattices);
        mixture.Mix(p + part.row * count, all + part.lattices, count, mixed + part.begin);
      });
    });
    variable_list saved(weights.begin(), weights.end());
    saved.push_back(lattices);
    saved.push_back(probs);
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["plan"] = c10::IValue::make_capsule(plan);
    return result;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const auto plan = c10::static_intrusive_pointer_cast<Plan>(ctx->saved_data["plan"].toCapsule());
    const variable_list saved = ctx->get_saved_variables();
    const size_t size = plan->parts.size();
    const at::TensorList weights = at::TensorList(saved).slice(0, size);
    const at::Tensor &lattices = saved[size], &probs = saved[size + 1];
    const std::vector<at::Tensor> dense = Dense(weights);
    const at::Tensor grad = grad_outputs[0].contiguous(), dense_probs = probs.contiguous();
    const int64_t count = plan->bits.size();
    const bool probs_need_grad = ctx->needs_input_grad(size);

    const at::Tensor grad_weights = at::empty_like(grad);
    at::Tensor grad_probs;
    AT_DISPATCH_FLOATING_TYPES(grad.scalar_type(), "MixedWeightsBackward", [&] {
      const auto* all =
          reinterpret_cast<const Lattice<scalar_t>*>(lattices.const_data_ptr<scalar_t>());
      const scalar_t* p = dense_probs.const_data_ptr<scalar_t>();
      const scalar_t* dy = grad.const_data_ptr<scalar_t>();
      scalar_t* dx = grad_weights.mutable_data_ptr<scalar_t>();
      std::vector<scalar_t> grad_rows(probs_need_grad ? size * count : 0);
      ForEachWeight<scalar_t>(dense, [&](int64_t i, const scalar_t* weight, auto& scratch) {
        const Plan::Part& part = plan->parts[i];
        WeightMixture<scalar_t>(weight, part.layout, scratch)
            .MixBackward(dy + part.begin, p + part.row * count, all + part.lattices, count,
                         dx + part.begin, probs_need_grad ? &grad_rows[i * count] : nullptr);
      });
      if (!probs_need_grad) return;
      grad_probs = at::zeros(probs.sizes(), probs.options().requires_grad(false));
      scalar_t* dp = grad_probs.mutable_data_ptr<scalar_t>();
      for (size_t i = 0; i < size; ++i) {
        for (int64_t c = 0; c < count; ++c) {
          dp[plan->parts[i].row * count + c] += grad_rows[i * count + c];
        }
      }
    });

    variable_list grads(size + 4);
    // Parts of one tensor, which autograd hands on as they are; it need not know them as views.
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    for (size_t i = 0; i < size; ++i) {
      grads[i] =
          grad_weights.as_strided(dense[i].sizes(), dense[i].strides(), plan->parts[i].begin);
    }
    grads[size + 2] = grad_probs;
    return grads;
  }
};

}  // namespace

at::Tensor MixedWeights(at::TensorList weights, const std::vector<int64_t>& rows,
                        at::IntArrayRef bits, const at::Tensor& probs, EightBit eight_bit) {
  TORCH_CHECK(weights.size() == rows.size(), "expected a row for each of ", weights.size(),
              " weights, got ", rows.size());
  const at::Tensor all_probs = bits.size() > 1
                                   ? probs
                                   : at::ones({*std::max_element(rows.begin(), rows.end()) + 1, 1},
                                              weights[0].options().requires_grad(false));
  return MixedWeightsFunction::apply(weights, rows, bits.vec(), all_probs,
                                     static_cast<int64_t>(eight_bit));
}

}  // namespace quant
