#include "quant/exact_sums.h"

#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/where.h"
#include "c10/util/Exception.h"
#include "quant/quantizers.h"
#include "torch/csrc/autograd/custom_function.h"

namespace quant {
namespace {

// float32 holds every integer up to 2^24.
constexpr double kExactInFloat = 1 << 24;

class ValueOf : public torch::autograd::Function<ValueOf> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor&,
                            const at::Tensor& value) {
    return value.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 const torch::autograd::variable_list& grads) {
    return {grads[0], at::Tensor()};
  }
};

at::Tensor Conv2d(const at::Tensor& x, const at::Tensor& weight, const ConvArguments& arguments) {
  return at::conv2d(x, weight, /*bias=*/{}, arguments.stride, arguments.padding, arguments.dilation,
                    arguments.groups);
}

}  // namespace

Levels LevelsOf(const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit,
                const at::Tensor& range_of) {
  const at::Tensor quantized = role == Role::kWeight
                                   ? QuantizeWeight(x, bits, eight_bit)
                                   : MixedActivation(x, bits, at::Tensor(), eight_bit, range_of);
  const Levels as_it_is = {quantized.to(at::kDouble),
                           at::ones({1}, x.options().dtype(at::kDouble))};
  if (bits == 32 || (HasRangeLattice(bits) && eight_bit != EightBit::kSymmetric)) return as_it_is;
  const at::Tensor lattices =
      MakeLattices(range_of.defined() ? range_of : x, bits, role, eight_bit)[0];
  const at::Tensor step = lattices.select(1, 0), offset = lattices.select(1, 1);
  if (step.eq(0).any().item<bool>()) return as_it_is;
  const at::Tensor unit = at::where(offset.ne(0), step / 2, step);
  std::vector<int64_t> along(x.dim(), 1);
  along[LatticeDim(role, eight_bit)] = unit.size(0);
  return {(quantized / unit.reshape(along)).round().to(at::kDouble), unit.to(at::kDouble),
          /*integers=*/true};
}

at::Tensor ExactConv2d(const Levels& x, const Levels& weight, const ConvArguments& arguments,
                       at::ScalarType dtype) {
  double most = kExactInFloat;
  if (x.integers && weight.integers && x.levels.numel() > 0) {
    const auto magnitude = [](const at::Tensor& v) { return v.abs().max().item<double>(); };
    most = magnitude(x.levels) * magnitude(weight.levels) *
           static_cast<double>(weight.levels[0].numel());
  }
  const at::Tensor sums = most < kExactInFloat ? Conv2d(x.levels.to(at::kFloat),
                                                        weight.levels.to(at::kFloat), arguments)
                                               : Conv2d(x.levels, weight.levels, arguments);
  return (sums.to(at::kDouble) * (x.unit * weight.unit).reshape({1, -1, 1, 1})).to(dtype);
}

at::Tensor WithGradientOf(const at::Tensor& y, const at::Tensor& value) {
  return ValueOf::apply(y, value);
}

int& ExactSumsGuard::Depth() {
  thread_local int depth = 0;
  return depth;
}

LevelObserver::LevelObserver(Function observe) : observe_(std::move(observe)) {
  TORCH_CHECK(Current() == nullptr, "levels have one observer at a time");
  Current() = this;
}

LevelObserver::~LevelObserver() { Current() = nullptr; }

void LevelObserver::Observe(const at::Tensor& weight, const Levels& x) {
  if (IsActive()) Current()->observe_(weight, x);
}

const LevelObserver*& LevelObserver::Current() {
  thread_local const LevelObserver* current = nullptr;
  return current;
}

}  // namespace quant
