#include "nas/fused/fused_chain.h"

#include <array>
#include <cstddef>
#include <utility>

#include "ATen/Dispatch.h"
#include "ATen/ops/empty.h"
#include "c10/util/Exception.h"
#include "nas/fused/buffer_pool.h"
#include "nas/fused/chain_pass.h"
#include "nas/fused/why_not.h"
#include "torch/csrc/autograd/custom_function.h"
#include "torch/custom_class.h"

namespace nas::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Where the tensors of a chain are in one list of them; an undefined one is there with no elements,
// since autograd takes no undefined ones.
struct TensorOrder {
  size_t parts;  // x comes first.
  size_t convs;
  size_t units;

  size_t Weight(size_t conv) const { return parts + conv; }
  size_t Probabilities(size_t conv) const { return parts + convs + conv; }
  size_t Scale(size_t unit) const { return parts + 2 * convs + unit; }
  size_t Shift(size_t unit) const { return parts + 2 * convs + units + unit; }
  size_t Count() const { return parts + 2 * convs + 2 * units; }
};

// Calls visit(unit, its convolution, the latter's number among all) for every convolution.
template <typename Visit>
void ForEachConv(const ChainSpec& chain, const Visit& visit) {
  size_t number = 0;
  for (size_t unit = 0; unit < chain.units.size(); ++unit) {
    for (int conv = 0; conv < chain.units[unit].shape.num_convs(); ++conv) {
      visit(unit, conv, number++);
    }
  }
}

size_t NumConvs(const ChainSpec& chain) {
  size_t count = 0;
  ForEachConv(chain, [&](size_t, int, size_t) { ++count; });
  return count;
}

template <typename T>
const T* DataOrNull(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? nullptr : tensor.const_data_ptr<T>();
}

template <typename T>
void PointToInputs(ChainPass<T>& pass, at::TensorList tensors, const TensorOrder& order) {
  pass.parts.clear();
  pass.part_channels.clear();
  for (const at::Tensor& part : tensors.slice(0, order.parts)) {
    pass.parts.push_back(part.const_data_ptr<T>());
    pass.part_channels.push_back(part.size(1));
  }
  pass.weights.assign(order.units, {});
  ForEachConv(pass.spec, [&](size_t unit, int conv, size_t number) {
    pass.weights[unit][conv] = tensors[order.Weight(number)].template const_data_ptr<T>();
  });
  pass.scales.clear();
  pass.shifts.clear();
  for (size_t unit = 0; unit < order.units; ++unit) {
    pass.scales.push_back(DataOrNull<T>(tensors[order.Scale(unit)]));
    pass.shifts.push_back(DataOrNull<T>(tensors[order.Shift(unit)]));
  }
}

// A pass between an operator's forward and its backward.
template <typename T>
struct KeptPass : torch::CustomClassHolder {
  explicit KeptPass(const ChainSpec& chain) : pass(chain) {}
  ChainPass<T> pass;
};

template <typename T>
c10::intrusive_ptr<KeptPass<T>> Forward(const ChainSpec& chain, bool training,
                                        at::TensorList tensors, const TensorOrder& order,
                                        at::Tensor& out) {
  auto kept = c10::make_intrusive<KeptPass<T>>(chain);
  ChainPass<T>& pass = kept->pass;
  const at::Tensor& x = tensors[0];
  pass.training = training;
  pass.samples = x.size(0);
  pass.height = x.size(2);
  pass.width = x.size(3);
  PointToInputs(pass, tensors, order);
  std::vector<std::array<std::vector<T>, 2>> probabilities(order.units);
  ForEachConv(chain, [&](size_t unit, int conv, size_t number) {
    const at::Tensor& given = tensors[order.Probabilities(number)];
    const T* begin = given.const_data_ptr<T>();
    probabilities[unit][conv].assign(begin, begin + given.numel());
  });
  out = BufferPool::Global().GetTensor(
      {pass.samples, chain.units.back().shape.out, pass.out_height(), pass.out_width()},
      x.scalar_type());
  RunForward(pass, probabilities, out.mutable_data_ptr<T>());
  return kept;
}

struct FusedChainFunction : torch::autograd::Function<FusedChainFunction> {
  static at::Tensor forward(AutogradContext* ctx, const ChainSpec& chain, bool training,
                            int64_t parts, at::TensorList tensors) {
    const TensorOrder order{static_cast<size_t>(parts), NumConvs(chain), chain.units.size()};
    at::Tensor out;
    AT_DISPATCH_FLOATING_TYPES(tensors[0].scalar_type(), "FusedChain", [&] {
      ctx->saved_data["pass"] =
          c10::IValue::make_capsule(Forward<scalar_t>(chain, training, tensors, order, out));
    });
    ctx->saved_data["parts"] = parts;
    ctx->save_for_backward({tensors.begin(), tensors.end()});
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const variable_list tensors = ctx->get_saved_variables();
    const at::Tensor grad_out = grad_outputs[0].contiguous();
    variable_list grads(tensors.size());
    AT_DISPATCH_FLOATING_TYPES(tensors[0].scalar_type(), "FusedChainBackward", [&] {
      auto kept = c10::static_intrusive_pointer_cast<KeptPass<scalar_t>>(
          ctx->saved_data["pass"].toCapsule());
      ChainPass<scalar_t>& pass = kept->pass;
      TORCH_CHECK(!pass.memory.empty(), "a fused operation's backward pass runs once");
      const TensorOrder order{static_cast<size_t>(ctx->saved_data["parts"].toInt()),
                              NumConvs(pass.spec), pass.spec.units.size()};
      PointToInputs<scalar_t>(pass, tensors, order);

      const auto allocate = [&](size_t i) {
        grads[i] = BufferPool::Global().GetTensor(tensors[i].sizes(), tensors[i].scalar_type());
        return grads[i].template mutable_data_ptr<scalar_t>();
      };
      const auto want = [&](size_t i) {
        const bool wanted = ctx->needs_input_grad(i) && tensors[i].numel() > 0;
        return wanted ? allocate(i) : nullptr;
      };
      // If one of a kind is wanted, all are computed.
      const auto any = [&](size_t begin, size_t count) {
        bool wanted = false;
        for (size_t i = begin; i < begin + count; ++i) wanted |= ctx->needs_input_grad(i);
        return wanted;
      };
      ChainGradients<scalar_t> gradients;
      gradients.out = grad_out.const_data_ptr<scalar_t>();
      const bool wants_x = any(0, order.parts);
      for (size_t i = 0; i < order.parts; ++i) {
        gradients.parts.push_back(wants_x ? allocate(i) : nullptr);
      }
      const bool wants_weights = any(order.Weight(0), order.convs);
      gradients.weights.resize(order.units);
      gradients.probabilities.resize(order.units);
      ForEachConv(pass.spec, [&](size_t unit, int conv, size_t number) {
        if (wants_weights) gradients.weights[unit][conv] = allocate(order.Weight(number));
        gradients.probabilities[unit][conv] = want(order.Probabilities(number));
      });
      for (size_t unit = 0; unit < order.units; ++unit) {
        gradients.scales.push_back(want(order.Scale(unit)));
        gradients.shifts.push_back(want(order.Shift(unit)));
      }
      RunBackward(pass, gradients);
      pass.memory.clear();
    });
    variable_list all(3);  // Of the arguments that are no tensors.
    all.insert(all.end(), grads.begin(), grads.end());
    return all;
  }
};

}  // namespace

std::string WhyNotFused(const ChainSpec& chain, const at::Tensor& x) {
  std::string why_not = WhyNotComputed(x);
  ForEachConv(chain, [&](size_t unit, int conv, size_t) {
    if (why_not.empty()) why_not = WhyNotMixed(chain.units[unit].convs[conv].bits);
  });
  if (why_not.empty() && chain.units[0].shape.stride == 2) why_not = WhyNotHalved(x);
  return why_not;
}

at::Tensor ApplyChain(const ChainSpec& chain, bool training, const ChainTensors& tensors) {
  const at::Tensor none = at::empty({0}, tensors.x[0].options().requires_grad(false));
  std::vector<at::Tensor> all;
  for (const auto* kind :
       {&tensors.x, &tensors.weights, &tensors.probabilities, &tensors.scales, &tensors.shifts}) {
    for (const at::Tensor& tensor : *kind) {
      all.push_back(tensor.defined() ? tensor.contiguous() : none);
    }
  }
  const TensorOrder order{tensors.x.size(), NumConvs(chain), chain.units.size()};
  TORCH_CHECK(all.size() == order.Count(), "expected ", order.Count(), " tensors, got ",
              all.size());
  return FusedChainFunction::apply(chain, training, static_cast<int64_t>(tensors.x.size()),
                                   at::TensorList(all));
}

}  // namespace nas::fused
