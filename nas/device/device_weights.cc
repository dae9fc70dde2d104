#include "nas/device/device_weights.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "ATen/Dispatch.h"
#include "ATen/core/LegacyTypeDispatch.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/zeros.h"
#include "c10/core/DeviceGuard.h"
#include "nas/device/launcher.h"
#include "quant/kernel_inputs.h"
#include "torch/csrc/autograd/custom_function.h"

namespace nas::device {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// All but the lattices, whose number comes back.
template <typename T>
int ArgsOf(at::TensorList weights, at::IntArrayRef rows, at::IntArrayRef bits,
           const at::Tensor& probs, quant::EightBit eight_bit, WeightArgs<T>& args) {
  const int64_t dim = quant::LatticeDim(quant::Role::kWeight, eight_bit);
  int begin = 0, lattices = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const at::Tensor& weight = weights[i];
    auto& to = args.weights[args.count++];
    to.x = weight.const_data_ptr<T>();
    to.size = static_cast<int>(weight.numel());
    to.begin = begin;
    to.row = static_cast<int>(rows[i]);
    to.channels =
        static_cast<int>(quant::NeedsOf(weight, bits, quant::Role::kWeight, eight_bit).channels);
    to.inner = static_cast<int>(quant::LayoutOf(weight, to.channels, dim).inner);
    to.lattices = lattices;
    begin += to.size;
    lattices += to.channels * static_cast<int>(bits.size());
  }
  args.num_bits = static_cast<int>(bits.size());
  std::copy(bits.begin(), bits.end(), args.bits);
  args.probabilities = probs.numel() == 0 ? nullptr : probs.const_data_ptr<T>();
  return lattices;
}

struct MixedWeightsFunction : torch::autograd::Function<MixedWeightsFunction> {
  static at::Tensor forward(AutogradContext* ctx, at::TensorList weights,
                            const std::vector<int64_t>& rows, const std::vector<int64_t>& bits,
                            const at::Tensor& probs, int64_t eight_bit_value) {
    const auto eight_bit = static_cast<quant::EightBit>(eight_bit_value);
    const at::TensorOptions options = weights[0].options().requires_grad(false);
    const c10::DeviceGuard guard(options.device());
    at::Tensor result, lattices;
    AT_DISPATCH_FLOATING_TYPES(weights[0].scalar_type(), "DeviceMixedWeights", [&] {
      MixWeights<scalar_t> kernel{};
      const int num_lattices = ArgsOf(weights, rows, bits, probs, eight_bit, kernel.args);
      lattices = at::empty({num_lattices, quant::kLatticeFields<scalar_t>}, options);
      kernel.args.lattices =
          reinterpret_cast<quant::Lattice<scalar_t>*>(lattices.mutable_data_ptr<scalar_t>());
      const auto& last = kernel.args.weights[kernel.args.count - 1];
      result = at::empty({last.begin + last.size}, options);
      kernel.y = result.mutable_data_ptr<scalar_t>();
      kernel.eight_bit = eight_bit;
      kernel.needs_range = quant::AnyHasRange(bits);
      kernel.needs_deviation = quant::AnyIsGaussian(bits);
      const at::Tensor sums = at::zeros({kernel.args.count, 2}, options.dtype(at::kDouble));
      kernel.sums = sums.mutable_data_ptr<double>();
      LauncherOf(options.device().type())->Launch(Kernel<scalar_t>(kernel));
    });
    variable_list saved(weights.begin(), weights.end());
    saved.push_back(lattices);
    saved.push_back(probs);
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["rows"] = rows;
    ctx->saved_data["bits"] = bits;
    ctx->saved_data["eight_bit"] = eight_bit_value;
    return result;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const variable_list saved = ctx->get_saved_variables();
    const size_t size = saved.size() - 2;
    const at::TensorList weights = at::TensorList(saved).slice(0, size);
    const at::Tensor &lattices = saved[size], &probs = saved[size + 1];
    const std::vector<int64_t> rows = ctx->saved_data["rows"].toIntVector();
    const std::vector<int64_t> bits = ctx->saved_data["bits"].toIntVector();
    const auto eight_bit = static_cast<quant::EightBit>(ctx->saved_data["eight_bit"].toInt());
    const at::Tensor grad = grad_outputs[0].contiguous();
    const c10::DeviceGuard guard(grad.device());
    const at::Tensor grad_weights = at::empty_like(grad);
    at::Tensor grad_probs;
    variable_list grads(size + 4);
    AT_DISPATCH_FLOATING_TYPES(grad.scalar_type(), "DeviceMixedWeightsBackward", [&] {
      Launcher& launcher = *LauncherOf(grad.device().type());
      MixWeightsBackward<scalar_t> kernel{};
      ArgsOf(weights, rows, bits, probs, eight_bit, kernel.args);
      // Only read.
      kernel.args.lattices =
          reinterpret_cast<quant::Lattice<scalar_t>*>(lattices.mutable_data_ptr<scalar_t>());
      kernel.gy = grad.const_data_ptr<scalar_t>();
      kernel.gx = grad_weights.mutable_data_ptr<scalar_t>();
      at::Tensor by_weight;
      if (probs.numel() > 0 && ctx->needs_input_grad(size)) {
        by_weight =
            at::zeros({kernel.args.count, kernel.args.num_bits}, grad.options().dtype(at::kDouble));
        kernel.probabilities = by_weight.mutable_data_ptr<double>();
      }
      launcher.Launch(Kernel<scalar_t>(kernel));
      if (by_weight.defined()) {
        grad_probs = at::empty(probs.sizes(), probs.options().requires_grad(false));
        AddRows<scalar_t> add{};
        add.values = by_weight.const_data_ptr<double>();
        std::copy(rows.begin(), rows.end(), add.rows);
        add.count = kernel.args.count;
        add.num_rows = static_cast<int>(probs.size(0));
        add.width = kernel.args.num_bits;
        add.sums = grad_probs.mutable_data_ptr<scalar_t>();
        launcher.Launch(Kernel<scalar_t>(add));
      }
      // Parts of one tensor, which autograd hands on as they are; it need not know them as views.
      const at::AutoDispatchBelowADInplaceOrView below_autograd;
      for (size_t i = 0; i < size; ++i) {
        grads[i] = grad_weights.as_strided(weights[i].sizes(), weights[i].strides(),
                                           kernel.args.weights[i].begin);
      }
    });
    grads[size + 2] = grad_probs;
    return grads;
  }
};

}  // namespace

at::Tensor MixedWeights(at::TensorList weights, const std::vector<int64_t>& rows,
                        at::IntArrayRef bits, const at::Tensor& probs, quant::EightBit eight_bit) {
  TORCH_CHECK(weights.size() == rows.size() && weights.size() <= kMaxWeights, "expected up to ",
              kMaxWeights, " weights and a row for each, got ", weights.size(), " and ",
              rows.size());
  std::vector<at::Tensor> dense;
  for (const at::Tensor& weight : weights) dense.push_back(weight.contiguous());
  const at::Tensor rows_of_probs = bits.size() > 1
                                       ? probs.contiguous()
                                       : at::empty({0}, weights[0].options().requires_grad(false));
  return MixedWeightsFunction::apply(at::TensorList(dense), rows, bits.vec(), rows_of_probs,
                                     static_cast<int64_t>(eight_bit));
}

}  // namespace nas::device
