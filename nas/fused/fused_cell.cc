#include "nas/fused/fused_cell.h"

#include <string>
#include <utility>

#include "ATen/Dispatch.h"
#include "ATen/ops/tensor.h"
#include "nas/fused/apply_cell.h"
#include "nas/fused/buffer_pool.h"
#include "nas/fused/cell_pass.h"
#include "nas/fused/why_not.h"
#include "torch/csrc/autograd/custom_function.h"
#include "torch/custom_class.h"

namespace nas::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <typename T>
std::vector<T> Values(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  const at::Tensor dense = tensor.detach().contiguous();
  const T* begin = dense.const_data_ptr<T>();
  return {begin, begin + dense.numel()};
}

// A pass between an operator's forward and its backward.
template <typename T>
struct KeptPass : torch::CustomClassHolder {
  explicit KeptPass(const CellSpec& cell) : pass(cell) {}
  CellPass<T> pass;
};

template <typename T>
void PointToInputs(CellPass<T>& pass, const at::Tensor& s0, const at::Tensor& s1,
                   const at::Tensor& weights) {
  pass.inputs = {s0.const_data_ptr<T>(), s1.const_data_ptr<T>()};
  pass.weights = weights.const_data_ptr<T>();
}

template <typename T>
c10::intrusive_ptr<KeptPass<T>> Forward(const CellSpec& cell, bool training, const at::Tensor& s0,
                                        const at::Tensor& s1, const at::Tensor& weights,
                                        const at::Tensor& probabilities,
                                        const at::Tensor& primitive_weights,
                                        const at::Tensor& edge_weights, at::Tensor& out) {
  auto kept = c10::make_intrusive<KeptPass<T>>(cell);
  CellPass<T>& pass = kept->pass;
  const CellPlan& plan = *cell.plan;
  pass.training = training;
  pass.samples = s1.size(0);
  pass.input_height = {s0.size(2), s1.size(2)};
  pass.input_width = {s0.size(3), s1.size(3)};
  pass.height = s1.size(2);
  pass.width = s1.size(3);
  const int64_t stride = plan.options.reduction ? 2 : 1;
  pass.out_height = pass.height / stride;
  pass.out_width = pass.width / stride;
  out = BufferPool::Global().GetTensor(
      {pass.samples, kCellNodes * plan.options.channels, pass.out_height, pass.out_width},
      s1.scalar_type());
  PointToInputs(pass, s0, s1, weights);
  pass.primitive_weights = Values<T>(primitive_weights);
  pass.edge_weights = Values<T>(edge_weights);
  pass.out = out.mutable_data_ptr<T>();
  RunForward(pass, Values<T>(probabilities));
  return kept;
}

at::Tensor ToTensor(const std::vector<double>& values, const at::Tensor& like) {
  return at::tensor(values, at::kDouble).to(like.scalar_type()).view_as(like);
}

struct FusedCellFunction : torch::autograd::Function<FusedCellFunction> {
  static at::Tensor forward(AutogradContext* ctx, const CellSpec& cell, bool training,
                            const at::Tensor& s0, const at::Tensor& s1, const at::Tensor& weights,
                            const at::Tensor& probabilities, const at::Tensor& primitive_weights,
                            const at::Tensor& edge_weights) {
    at::Tensor out;
    AT_DISPATCH_FLOATING_TYPES(s1.scalar_type(), "FusedCell", [&] {
      ctx->saved_data["pass"] = c10::IValue::make_capsule(Forward<scalar_t>(
          cell, training, s0, s1, weights, probabilities, primitive_weights, edge_weights, out));
    });
    ctx->save_for_backward({s0, s1, weights, probabilities, primitive_weights, edge_weights, out});
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &s0 = saved[0], &s1 = saved[1], &weights = saved[2], &probabilities = saved[3],
                     &primitive_weights = saved[4], &edge_weights = saved[5];
    // In the graph's numbers, those of forward's tensors.
    constexpr int kS0 = 0, kS1 = 1, kWeights = 2, kProbabilities = 3, kPrimitives = 4, kEdges = 5;
    const at::Tensor grad_out = grad_outputs[0].contiguous();
    at::Tensor grad_s0, grad_s1, grad_weights, grad_probabilities, grad_primitives, grad_edges;
    AT_DISPATCH_FLOATING_TYPES(s1.scalar_type(), "FusedCellBackward", [&] {
      auto kept = c10::static_intrusive_pointer_cast<KeptPass<scalar_t>>(
          ctx->saved_data["pass"].toCapsule());
      CellPass<scalar_t>& pass = kept->pass;
      TORCH_CHECK(pass.memory != nullptr, "a fused cell's backward pass runs once");
      PointToInputs(pass, s0, s1, weights);
      CellGradients<scalar_t> gradients;
      gradients.out = grad_out.const_data_ptr<scalar_t>();
      const auto want = [](at::Tensor& grad, const at::Tensor& like) {
        grad = BufferPool::Global().GetTensor(like.sizes(), like.scalar_type());
        return grad.mutable_data_ptr<scalar_t>();
      };
      if (ctx->needs_input_grad(kS0)) gradients.inputs[0] = want(grad_s0, s0);
      if (ctx->needs_input_grad(kS1)) gradients.inputs[1] = want(grad_s1, s1);
      if (ctx->needs_input_grad(kWeights)) gradients.weights = want(grad_weights, weights);
      if (probabilities.defined() && ctx->needs_input_grad(kProbabilities)) {
        gradients.activation_probabilities.resize(probabilities.numel());
      }
      gradients.architecture = ctx->needs_input_grad(kPrimitives) || ctx->needs_input_grad(kEdges);
      gradients.primitive_weights.resize(primitive_weights.numel());
      gradients.edge_weights.resize(edge_weights.numel());
      RunBackward(pass, gradients);
      pass.memory.reset();
      if (!gradients.activation_probabilities.empty()) {
        grad_probabilities = ToTensor(gradients.activation_probabilities, probabilities);
      }
      if (gradients.architecture) {
        grad_primitives = ToTensor(gradients.primitive_weights, primitive_weights);
        grad_edges = ToTensor(gradients.edge_weights, edge_weights);
      }
    });
    return {at::Tensor(), at::Tensor(),       grad_s0,         grad_s1,
            grad_weights, grad_probabilities, grad_primitives, grad_edges};
  }
};

}  // namespace

std::string WhyNotFused(const CellSpec& cell, const at::Tensor& s0, const at::Tensor& s1) {
  const std::string why_not = WhyNotComputed(s1);
  return why_not.empty() ? WhyNotPlanned(cell, s0, s1) : why_not;
}

at::Tensor ApplyFusedCell(const CellSpec& cell, bool training, const at::Tensor& s0,
                          const at::Tensor& s1, const at::Tensor& weights,
                          const at::Tensor& activation_probabilities,
                          const at::Tensor& primitive_weights, const at::Tensor& edge_weights) {
  return ApplyCell<FusedCellFunction>(cell, training, s0, s1, weights, activation_probabilities,
                                      primitive_weights, edge_weights);
}

}  // namespace nas::fused
