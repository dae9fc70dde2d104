// The mixed operators against one operator per candidate, forward and backward, on the activations
// and weights of a CIFAR search at batch 64. Prints the ratio of each pair.
//
//   OMP_NUM_THREADS=1 bazel run //quant:quantizers_benchmark

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/softmax.h"
#include "c10/util/ArrayRef.h"
#include "quant/quantizers.h"
#include "quant/separate_branches.h"

namespace quant {
namespace {

constexpr int kRuns = 15;

// The median time of a forward and a backward, in milliseconds.
template <typename Mix>
double Milliseconds(const at::Tensor& x_value, const at::Tensor& probs_value, const Mix& mix) {
  const at::Tensor x = x_value.clone().set_requires_grad(true);
  const at::Tensor probs = probs_value.clone().set_requires_grad(true);
  std::vector<double> times(kRuns);
  for (double& time : times) {
    x.mutable_grad().reset();
    probs.mutable_grad().reset();
    const auto start = std::chrono::steady_clock::now();
    mix(x, probs).backward(x_value);
    time =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

void Compare(const char* name, Role role, at::IntArrayRef shape, at::IntArrayRef bits) {
  at::Generator generator = at::detail::createCPUGenerator(1);
  const at::Tensor x = at::randn(shape, generator, at::kFloat);
  const int64_t candidates = bits.size();
  const at::Tensor p = at::softmax(at::randn({candidates}, generator, at::kFloat), 0);
  const double fused = Milliseconds(x, p, [&](const at::Tensor& v, const at::Tensor& probs) {
    return role == Role::kActivation ? MixedActivation(v, bits, probs)
                                     : MixedWeight(v, bits, probs);
  });
  const double separate = Milliseconds(x, p, [&](const at::Tensor& v, const at::Tensor& probs) {
    return MixSeparately(v, bits, probs, role, EightBit::kPublished);
  });
  std::string candidates_text;
  for (const int64_t b : bits)
    candidates_text += (candidates_text.empty() ? "" : ",") + std::to_string(b);
  std::printf("%-12s %9ld  {%-7s} one operator %8.3f ms  separate branches %8.3f ms  ratio %5.2f\n",
              name, static_cast<long>(x.numel()), candidates_text.c_str(), fused, separate,
              separate / fused);
}

}  // namespace
}  // namespace quant

int main() {
  using quant::Role;
  std::printf("%d threads, float32, forward + backward\n", at::get_num_threads());
  for (const std::vector<int64_t>& bits : {std::vector<int64_t>{2, 4}, {2, 4, 8}}) {
    quant::Compare("activations", Role::kActivation, {64, 64, 32, 32}, bits);
    quant::Compare("activations", Role::kActivation, {64, 16, 8, 8}, bits);
    quant::Compare("weights", Role::kWeight, {64, 256, 1, 1}, bits);
    quant::Compare("weights", Role::kWeight, {16, 1, 5, 5}, bits);
  }
}
