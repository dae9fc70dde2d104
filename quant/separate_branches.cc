#include "quant/separate_branches.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/abs.h"
#include "ATen/ops/amax.h"
#include "ATen/ops/amin.h"
#include "ATen/ops/clamp.h"
#include "ATen/ops/max.h"
#include "ATen/ops/maximum.h"
#include "ATen/ops/min.h"
#include "ATen/ops/round.h"
#include "ATen/ops/std.h"
#include "ATen/ops/zeros_like.h"
#include "torch/csrc/autograd/custom_function.h"

namespace quant {
namespace {

// The value of `quantized`, the gradient of x.
class StraightThrough : public torch::autograd::Function<StraightThrough> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& x,
                            const at::Tensor& quantized) {
    return quantized;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 const torch::autograd::variable_list& grads) {
    return {grads[0], at::Tensor()};
  }
};

at::Tensor Hwgq(const at::Tensor& x, int64_t bits) {
  static const std::map<int64_t, double> kSteps = {{1, 0.799}, {2, 0.538}, {3, 0.3217}, {4, 0.185}};
  const double step = kSteps.at(bits);
  const at::Tensor clamped = at::clamp(x, 0.0, step * (std::pow(2.0, bits) - 1));
  return StraightThrough::apply(clamped, at::round(clamped.detach() / step) * step);
}

at::Tensor Gaussian(const at::Tensor& w, int64_t bits) {
  static const std::map<int64_t, double> kSteps = {{1, 1.596}, {2, 0.996}, {3, 0.586}, {4, 0.336}};
  const at::Tensor value = w.detach();
  const double step = kSteps.at(bits) * at::std(value, /*unbiased=*/true).item<double>();
  const double bound = (std::pow(2.0, bits) / 2 - 0.5) * step;
  const at::Tensor level = (at::round(value / step + 0.5) - 0.5) * step;
  return StraightThrough::apply(w, at::clamp(level, -bound, bound));
}

at::Tensor NonZero(const at::Tensor& scale, EightBit eight_bit) {
  return eight_bit == EightBit::kPublished ? scale + 1e-10 : scale.clamp_min(1e-10);
}

at::Tensor PublishedRange(const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit) {
  const double steps = std::pow(2.0, bits) - 1, half = std::pow(2.0, bits - 1) - 1;
  const at::Tensor value = x.detach();
  std::vector<int64_t> dims(x.dim() - 1);
  std::iota(dims.begin() + 1, dims.end(), 2);
  const at::Tensor low = at::amin(value, dims, /*keepdim=*/true);
  const at::Tensor high = at::amax(value, dims, /*keepdim=*/true);
  if (role == Role::kActivation && at::min(value).item<double>() >= -0.05) {
    const at::Tensor scale = NonZero((high - low) / steps, eight_bit);
    return StraightThrough::apply(
        x, at::clamp(at::round(value / scale) * scale, at::zeros_like(scale), steps * scale));
  }
  const at::Tensor scale = NonZero(2 * at::maximum(at::abs(high), at::abs(low)) / steps, eight_bit);
  const at::Tensor level = (at::round(value / scale + 0.5) - 0.5) * scale;
  return StraightThrough::apply(x, at::clamp(level, -half * scale, half * scale));
}

at::Tensor SymmetricRange(const at::Tensor& x, int64_t bits, Role role) {
  const double steps = std::pow(2.0, bits) - 1, half = std::pow(2.0, bits - 1) - 1;
  const at::Tensor value = x.detach();
  if (role == Role::kActivation && at::min(value).item<double>() >= 0) {
    const at::Tensor scale = NonZero(at::max(value) / steps, EightBit::kSymmetric);
    return StraightThrough::apply(x, at::clamp(at::round(value / scale), 0, steps) * scale);
  }
  std::vector<int64_t> dims(role == Role::kWeight ? x.dim() - 1 : x.dim());
  std::iota(dims.begin(), dims.end(), role == Role::kWeight ? 1 : 0);
  const at::Tensor scale =
      NonZero(at::amax(at::abs(value), dims, /*keepdim=*/true) / half, EightBit::kSymmetric);
  return StraightThrough::apply(x, at::clamp(at::round(value / scale), -half, half) * scale);
}

at::Tensor Branch(const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit) {
  if (bits == 32) return x;
  if (bits < 5) return role == Role::kActivation ? Hwgq(x, bits) : Gaussian(x, bits);
  return eight_bit == EightBit::kSymmetric ? SymmetricRange(x, bits, role)
                                           : PublishedRange(x, bits, role, eight_bit);
}

}  // namespace

at::Tensor MixSeparately(const at::Tensor& x, at::IntArrayRef bits, const at::Tensor& probs,
                         Role role, EightBit eight_bit) {
  at::Tensor sum;
  for (size_t i = 0; i < bits.size(); ++i) {
    const at::Tensor term = Branch(x, bits[i], role, eight_bit) * probs[i];
    sum = i == 0 ? term : sum + term;
  }
  return sum;
}

}  // namespace quant
