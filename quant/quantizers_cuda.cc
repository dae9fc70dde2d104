// The CUDA side of the operators in quant/quantizers.h: checks, statistics and launches.

#include <cstdint>
#include <numeric>
#include <tuple>
#include <vector>

#include "ATen/Dispatch.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/amax.h"
#include "ATen/ops/amin.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/std.h"
#include "c10/cuda/CUDAException.h"
#include "c10/cuda/CUDAGuard.h"
#include "c10/cuda/CUDAStream.h"
#include "quant/kernel_inputs.h"
#include "quant/lattice.h"
#include "quant/quantizers_cuda_kernels.h"
#include "torch/library.h"

namespace quant {
namespace {

MixtureShape ShapeOf(const at::Tensor& x, const at::Tensor& lattices, int64_t lattice_dim) {
  const ChannelLayout layout = LayoutOf(x, lattices.size(1), lattice_dim);
  TORCH_CHECK(lattices.size(0) <= kMaxCudaCandidates, "at most ", kMaxCudaCandidates,
              " candidate bits on CUDA, not ", lattices.size(0));
  return {.size = x.numel(),
          .inner = layout.inner,
          .channels = layout.channels,
          .candidates = lattices.size(0)};
}

template <typename T>
const Lattice<T>* LatticeData(const at::Tensor& lattices) {
  return reinterpret_cast<const Lattice<T>*>(lattices.const_data_ptr<T>());
}

at::Tensor MixedQuantizeCuda(const at::Tensor& input, const at::Tensor& probs,
                             const at::Tensor& lattices, int64_t lattice_dim) {
  const c10::cuda::CUDAGuard device(input.device());
  const at::Tensor x = input.contiguous();
  at::Tensor y = at::empty_like(x);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_quantize", [&] {
    const at::Tensor contiguous_probs = probs.contiguous();
    C10_CUDA_CHECK(LaunchMix(ShapeOf(x, lattices, lattice_dim), x.const_data_ptr<scalar_t>(),
                             contiguous_probs.const_data_ptr<scalar_t>(),
                             LatticeData<scalar_t>(lattices), y.mutable_data_ptr<scalar_t>(),
                             c10::cuda::getCurrentCUDAStream()));
  });
  return y;
}

std::tuple<at::Tensor, at::Tensor> MixedQuantizeBackwardCuda(
    const at::Tensor& grad_output, const at::Tensor& input, const at::Tensor& probs,
    const at::Tensor& lattices, int64_t lattice_dim, bool probs_need_grad) {
  const c10::cuda::CUDAGuard device(input.device());
  const at::Tensor grad = grad_output.contiguous();
  const at::Tensor x = input.contiguous();
  const at::Tensor contiguous_probs = probs.contiguous();
  at::Tensor grad_x = at::empty_like(x);
  at::Tensor partial_sums;
  if (probs_need_grad) {
    partial_sums = at::empty({PartialSums(x.numel()), probs.numel()},
                             probs.options().dtype(at::kDouble).requires_grad(false));
  }
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_quantize_backward", [&] {
    C10_CUDA_CHECK(
        LaunchMixBackward(ShapeOf(x, lattices, lattice_dim), grad.const_data_ptr<scalar_t>(),
                          x.const_data_ptr<scalar_t>(), contiguous_probs.const_data_ptr<scalar_t>(),
                          LatticeData<scalar_t>(lattices), grad_x.mutable_data_ptr<scalar_t>(),
                          probs_need_grad ? partial_sums.mutable_data_ptr<double>() : nullptr,
                          c10::cuda::getCurrentCUDAStream()));
  });
  if (!probs_need_grad) return {grad_x, at::Tensor()};
  return {grad_x, partial_sums.sum(0).to(probs.scalar_type())};
}

at::Tensor LatticesCuda(const at::Tensor& x, at::IntArrayRef bits, int64_t role_value,
                        int64_t eight_bit_value) {
  const c10::cuda::CUDAGuard device(x.device());
  LatticeRecipe recipe{.candidates = static_cast<int64_t>(bits.size()),
                       .role = static_cast<Role>(role_value),
                       .eight_bit = static_cast<EightBit>(eight_bit_value)};
  TORCH_CHECK(recipe.candidates <= kMaxCudaCandidates, "at most ", kMaxCudaCandidates,
              " candidate bits on CUDA, not ", recipe.candidates);
  std::copy(bits.begin(), bits.end(), recipe.bits);
  const LatticeNeeds needs = NeedsOf(x, bits, recipe.role, recipe.eight_bit);
  recipe.channels = needs.channels;

  at::Tensor std, min, max, tensor_min;
  if (needs.std) std = at::std(x, /*unbiased=*/true);
  if (needs.range) {
    std::vector<int64_t> dims(x.dim());
    std::iota(dims.begin(), dims.end(), 0);
    if (needs.channels > 1) dims.erase(dims.begin() + LatticeDim(recipe.role, recipe.eight_bit));
    min = at::amin(x, dims).contiguous();
    max = at::amax(x, dims).contiguous();
    tensor_min = at::amin(min);
  }

  at::Tensor lattices;
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "lattices", [&] {
    const auto data = [](const at::Tensor& t) -> const scalar_t* {
      return t.defined() ? t.const_data_ptr<scalar_t>() : nullptr;
    };
    lattices =
        at::empty({recipe.candidates, recipe.channels, kLatticeFields<scalar_t>}, x.options());
    C10_CUDA_CHECK(
        LaunchLattices(recipe, data(std), data(min), data(max), data(tensor_min),
                       reinterpret_cast<Lattice<scalar_t>*>(lattices.mutable_data_ptr<scalar_t>()),
                       c10::cuda::getCurrentCUDAStream()));
  });
  return lattices;
}

TORCH_LIBRARY_IMPL(nqdarts, CUDA, library) {
  library.impl("lattices", LatticesCuda);
  library.impl("mixed_quantize", MixedQuantizeCuda);
  library.impl("mixed_quantize_backward", MixedQuantizeBackwardCuda);
}

}  // namespace
}  // namespace quant
