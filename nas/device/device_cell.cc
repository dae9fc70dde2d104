#include "nas/device/device_cell.h"

#include "ATen/Dispatch.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "absl/strings/str_cat.h"
#include "c10/core/DeviceGuard.h"
#include "nas/device/cell_pass.h"
#include "nas/fused/apply_cell.h"
#include "nas/fused/why_not.h"
#include "torch/csrc/autograd/custom_function.h"
#include "torch/custom_class.h"

namespace nas::device {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A pass between the operator's forward and its backward.
template <typename T>
struct KeptPass : torch::CustomClassHolder {
  KeptPass(const CellSpec& cell, Launcher& launcher) : pass(cell, launcher) {}
  CellPass<T> pass;
};

// The order of what the operator is given.
enum Given { kS0, kS1, kWeights, kProbabilities, kPrimitives, kEdges };

template <typename T>
void PointToInputs(CellPass<T>& pass, const variable_list& given) {
  pass.inputs = {given[kS0].const_data_ptr<T>(), given[kS1].const_data_ptr<T>()};
  pass.weights = given[kWeights].const_data_ptr<T>();
  pass.probabilities =
      given[kProbabilities].numel() == 0 ? nullptr : given[kProbabilities].const_data_ptr<T>();
  pass.primitive_weights = given[kPrimitives].const_data_ptr<T>();
  pass.edge_weights = given[kEdges].const_data_ptr<T>();
}

template <typename T>
c10::intrusive_ptr<KeptPass<T>> Forward(const CellSpec& cell, bool training,
                                        const variable_list& given, at::Tensor& out) {
  const at::Tensor &s0 = given[kS0], &s1 = given[kS1];
  auto kept = c10::make_intrusive<KeptPass<T>>(cell, *LauncherOf(s1.device().type()));
  CellPass<T>& pass = kept->pass;
  pass.training = training;
  pass.samples = s1.size(0);
  const auto side = [](const at::Tensor& x, int dim) { return static_cast<int>(x.size(dim)); };
  pass.input_height = {side(s0, 2), side(s1, 2)};
  pass.input_width = {side(s0, 3), side(s1, 3)};
  pass.height = side(s1, 2);
  pass.width = side(s1, 3);
  const int stride = pass.plan.options.reduction ? 2 : 1;
  pass.out_height = pass.height / stride;
  pass.out_width = pass.width / stride;
  out = at::empty({pass.samples, kCellNodes * pass.channels(), pass.out_height, pass.out_width},
                  s1.options().requires_grad(false));
  PointToInputs(pass, given);
  pass.out = out.mutable_data_ptr<T>();
  RunForward(pass, out);
  return kept;
}

struct DeviceCellFunction : torch::autograd::Function<DeviceCellFunction> {
  static at::Tensor forward(AutogradContext* ctx, const CellSpec& cell, bool training,
                            const at::Tensor& s0, const at::Tensor& s1, const at::Tensor& weights,
                            const at::Tensor& probabilities, const at::Tensor& primitive_weights,
                            const at::Tensor& edge_weights) {
    const c10::DeviceGuard guard(s1.device());
    variable_list saved = {s0, s1, weights, probabilities, primitive_weights, edge_weights};
    at::Tensor out;
    AT_DISPATCH_FLOATING_TYPES(s1.scalar_type(), "DeviceCell", [&] {
      ctx->saved_data["pass"] =
          c10::IValue::make_capsule(Forward<scalar_t>(cell, training, saved, out));
    });
    saved.push_back(out);
    ctx->save_for_backward(saved);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    const variable_list saved = ctx->get_saved_variables();
    const c10::DeviceGuard guard(saved[kS1].device());
    const at::Tensor grad_out = grad_outputs[0].contiguous();
    at::Tensor grads[kEdges + 1];
    AT_DISPATCH_FLOATING_TYPES(saved[kS1].scalar_type(), "DeviceCellBackward", [&] {
      auto kept = c10::static_intrusive_pointer_cast<KeptPass<scalar_t>>(
          ctx->saved_data["pass"].toCapsule());
      CellPass<scalar_t>& pass = kept->pass;
      TORCH_CHECK(pass.memory.defined(), "a cell's backward pass runs once");
      PointToInputs(pass, saved);
      CellGradients<scalar_t> gradients;
      gradients.out = grad_out.const_data_ptr<scalar_t>();
      for (const int input : {kS0, kS1}) {
        if (!ctx->needs_input_grad(input)) continue;
        gradients.inputs[input] = at::empty_like(saved[input]);
      }
      gradients.want_weights = ctx->needs_input_grad(kWeights);
      gradients.want_probabilities =
          saved[kProbabilities].numel() > 0 && ctx->needs_input_grad(kProbabilities);
      gradients.want_architecture =
          ctx->needs_input_grad(kPrimitives) || ctx->needs_input_grad(kEdges);
      RunBackward(pass, gradients);
      pass.memory.reset();
      const auto like = [&](const at::Tensor& gradient, Given given) {
        if (gradient.defined()) {
          grads[given] = gradient.to(saved[given].scalar_type()).view_as(saved[given]);
        }
      };
      grads[kS0] = gradients.inputs[0];
      grads[kS1] = gradients.inputs[1];
      like(gradients.weights, kWeights);
      like(gradients.probabilities, kProbabilities);
      like(gradients.primitives, kPrimitives);
      like(gradients.edges, kEdges);
    });
    variable_list result = {at::Tensor(), at::Tensor()};
    result.insert(result.end(), std::begin(grads), std::end(grads));
    return result;
  }
};

}  // namespace

std::string WhyNotOnDevice(const CellSpec& cell, const at::Tensor& s0, const at::Tensor& s1) {
  std::string why_not = fused::WhyNotOfType(s1);
  if (why_not.empty()) why_not = fused::WhyNotPlanned(cell, s0, s1);
  if (!why_not.empty()) return why_not;
  // What a team keeps in its memory: planes of a convolution, or of a pool and its gradient.
  const int64_t size = s1.size(2) * s1.size(3), stride = cell.plan->options.reduction ? 2 : 1;
  const int64_t out_size = size / (stride * stride);
  if (size + out_size > kDataValues || 3 * out_size > kSharedValues) {
    return absl::StrCat("planes of ", s1.size(2), " x ", s1.size(3),
                        " do not fit the memory of a block");
  }
  for (const Unit& unit : cell.plan->units) {
    if (PixelsAtOnce(static_cast<int>(unit.shape.out + 2 * unit.shape.in)) > 0) continue;
    return absl::StrCat("a convolution of ", unit.shape.in, " to ", unit.shape.out,
                        " channels does not fit the memory of a block");
  }
  return "";
}

at::Tensor ApplyCell(const CellSpec& cell, bool training, const at::Tensor& s0,
                     const at::Tensor& s1, const at::Tensor& weights,
                     const at::Tensor& activation_probabilities,
                     const at::Tensor& primitive_weights, const at::Tensor& edge_weights) {
  return fused::ApplyCell<DeviceCellFunction>(
      cell, training, s0, s1, weights, activation_probabilities, primitive_weights, edge_weights);
}

}  // namespace nas::device
