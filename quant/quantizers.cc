#include "quant/quantizers.h"

#include <algorithm>
#include <tuple>

#include "ATen/core/dispatch/Dispatcher.h"
#include "ATen/ops/ones.h"
#include "c10/util/Exception.h"
#include "quant/kernel_inputs.h"
#include "torch/csrc/autograd/custom_function.h"
#include "torch/library.h"

namespace quant {
namespace {

using LatticesSignature = at::Tensor(const at::Tensor&, at::IntArrayRef, int64_t, int64_t);
using MixedQuantizeSignature = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                          int64_t);
using MixedQuantizeBackwardSignature = std::tuple<at::Tensor, at::Tensor>(
    const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t, bool);

template <typename Signature>
c10::TypedOperatorHandle<Signature> FindOperator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

at::Tensor MixedQuantizeForward(const at::Tensor& x, const at::Tensor& probs,
                                const at::Tensor& lattices, int64_t lattice_dim) {
  static const auto op = FindOperator<MixedQuantizeSignature>("nqdarts::mixed_quantize");
  return op.call(x, probs, lattices, lattice_dim);
}

class MixedQuantizeFunction : public torch::autograd::Function<MixedQuantizeFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& probs, const at::Tensor& lattices,
                            int64_t lattice_dim) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->save_for_backward({x, probs, lattices});
    context->saved_data["lattice_dim"] = lattice_dim;
    return MixedQuantizeForward(x, probs, lattices, lattice_dim);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& grads) {
    static const auto op =
        FindOperator<MixedQuantizeBackwardSignature>("nqdarts::mixed_quantize_backward");
    const torch::autograd::variable_list saved = context->get_saved_variables();
    auto [grad_x, grad_probs] =
        op.call(grads[0], saved[0], saved[1], saved[2], context->saved_data["lattice_dim"].toInt(),
                context->needs_input_grad(1));
    return {grad_x, grad_probs, at::Tensor(), at::Tensor()};
  }
};

at::Tensor MixedQuantizeAutograd(const at::Tensor& x, const at::Tensor& probs,
                                 const at::Tensor& lattices, int64_t lattice_dim) {
  return MixedQuantizeFunction::apply(x, probs, lattices, lattice_dim);
}

// `statistics_of` is x, or what stands for it where lattices depend on the values.
at::Tensor Mix(const at::Tensor& x, at::IntArrayRef bits, const at::Tensor& probs, Role role,
               EightBit eight_bit, const at::Tensor& statistics_of) {
  TORCH_CHECK(!bits.empty() && std::all_of(bits.begin(), bits.end(), IsSupportedBits),
              "bits must be ", kSupportedBits, ", not ", bits);
  if (bits.size() == 1 && bits[0] == 32) return x;
  return MixedQuantize(
      x, bits.size() == 1 ? at::ones({1}, x.options().requires_grad(false)) : probs,
      MakeLattices(statistics_of, bits, role, eight_bit), LatticeDim(role, eight_bit));
}

}  // namespace

at::Tensor MakeLattices(const at::Tensor& x, at::IntArrayRef bits, Role role, EightBit eight_bit) {
  static const auto op = FindOperator<LatticesSignature>("nqdarts::lattices");
  return op.call(x.detach(), bits, static_cast<int64_t>(role), static_cast<int64_t>(eight_bit));
}

at::Tensor MixedQuantize(const at::Tensor& x, const at::Tensor& probs, const at::Tensor& lattices,
                         int64_t lattice_dim) {
  TORCH_CHECK(probs.dim() == 1 && probs.size(0) == lattices.size(0), "expected probabilities of ",
              lattices.size(0), " candidates, got shape ", probs.sizes());
  TORCH_CHECK(probs.scalar_type() == x.scalar_type() && lattices.scalar_type() == x.scalar_type(),
              "expected probabilities of type ", x.scalar_type(), ", got ", probs.scalar_type());
  return MixedQuantizeForward(x, probs, lattices, lattice_dim);
}

at::Tensor MixedActivation(const at::Tensor& x, at::IntArrayRef bits, const at::Tensor& probs,
                           EightBit eight_bit, const at::Tensor& range_of) {
  return Mix(x, bits, probs, Role::kActivation, eight_bit, range_of.defined() ? range_of : x);
}

bool NeedsRange(at::IntArrayRef bits) {
  return AnyHasRange(bits);
}

at::Tensor MixedWeight(const at::Tensor& weight, at::IntArrayRef bits, const at::Tensor& probs,
                       EightBit eight_bit) {
  return Mix(weight, bits, probs, Role::kWeight, eight_bit, weight);
}

TORCH_LIBRARY(nqdarts, library) {
  library.def("lattices(Tensor x, int[] bits, int role, int eight_bit) -> Tensor");
  library.def("mixed_quantize(Tensor x, Tensor probs, Tensor lattices, int lattice_dim) -> Tensor");
  library.def(
      "mixed_quantize_backward(Tensor grad, Tensor x, Tensor probs, Tensor lattices, "
      "int lattice_dim, bool probs_need_grad) -> (Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(nqdarts, Autograd, library) {
  library.impl("mixed_quantize", MixedQuantizeAutograd);
}

}  // namespace quant
