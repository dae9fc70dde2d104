#include <algorithm>
#include <limits>

#include "cub/block/block_reduce.cuh"
#include "quant/quantizers_cuda_kernels.h"

namespace quant {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMaxBlocks = 2048;

int64_t Blocks(int64_t size) {
  return std::clamp<int64_t>((size + kThreads - 1) / kThreads, 1, kMaxBlocks);
}

// Division of 32-bit numbers is several times faster.
bool FitsInt32(int64_t size) {
  return size <= std::numeric_limits<int32_t>::max() - kMaxBlocks * kThreads;
}

template <typename T>
__device__ T Level(const Lattice<T>& lattice, T x) {
  return lattice.step == 0 ? x : Quantize(lattice, x);
}

template <typename T, typename Index>
__device__ const Lattice<T>* LatticesOf(const MixtureShape& shape, const Lattice<T>* lattices,
                                        Index i) {
  if (shape.channels == 1) return lattices;
  return lattices + i / static_cast<Index>(shape.inner) % static_cast<Index>(shape.channels);
}

template <typename T, typename Index>
__global__ void __launch_bounds__(kThreads)
    MixKernel(MixtureShape shape, const T* __restrict__ x, const T* __restrict__ probs,
              const Lattice<T>* __restrict__ lattices, T* __restrict__ y) {
  const Index size = shape.size;
  const Index stride = gridDim.x * blockDim.x;
  for (Index i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += stride) {
    const Lattice<T>* const channel = LatticesOf(shape, lattices, i);
    const T value = x[i];
    T sum = 0;
    for (int k = 0; k < shape.candidates; ++k) {
      sum += Level(channel[k * shape.channels], value) * probs[k];
    }
    y[i] = sum;
  }
}

template <typename T, typename Index>
__global__ void __launch_bounds__(kThreads)
    MixBackwardKernel(MixtureShape shape, const T* __restrict__ grad, const T* __restrict__ x,
                      const T* __restrict__ probs, const Lattice<T>* __restrict__ lattices,
                      T* __restrict__ grad_x, double* __restrict__ partial_sums) {
  const Index size = shape.size;
  const Index stride = gridDim.x * blockDim.x;
  T sums[kMaxCudaCandidates] = {};
  for (Index i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += stride) {
    const Lattice<T>* const channel = LatticesOf(shape, lattices, i);
    const T value = x[i];
    const T slope_out = grad[i];
    T slope = 0;
#pragma unroll
    for (int k = 0; k < kMaxCudaCandidates; ++k) {  // all, so that sums stay in registers
      if (k < shape.candidates) {
        const Lattice<T>& lattice = channel[k * shape.channels];
        if (PassesGradient(lattice, value)) slope += probs[k];
        if (partial_sums != nullptr) sums[k] += slope_out * Level(lattice, value);
      }
    }
    grad_x[i] = slope_out * slope;
  }
  if (partial_sums == nullptr) return;
  using BlockReduce = cub::BlockReduce<double, kThreads>;
  __shared__ typename BlockReduce::TempStorage storage;
#pragma unroll
  for (int k = 0; k < kMaxCudaCandidates; ++k) {
    if (k < shape.candidates) {
      const double sum = BlockReduce(storage).Sum(static_cast<double>(sums[k]));
      if (threadIdx.x == 0) partial_sums[blockIdx.x * shape.candidates + k] = sum;
      __syncthreads();
    }
  }
}

template <typename T>
__global__ void LatticesKernel(LatticeRecipe recipe, const T* __restrict__ tensor_std,
                               const T* __restrict__ min, const T* __restrict__ max,
                               const T* __restrict__ tensor_min,
                               Lattice<T>* __restrict__ lattices) {
  const int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  if (i >= recipe.candidates * recipe.channels) return;
  const int64_t channel = i % recipe.channels;
  Statistics<T> statistics;
  if (tensor_std != nullptr) statistics.std = *tensor_std;
  if (min != nullptr) {
    statistics.min = min[channel];
    statistics.max = max[channel];
    statistics.tensor_min = *tensor_min;
  }
  lattices[i] =
      MakeLattice(recipe.bits[i / recipe.channels], recipe.role, recipe.eight_bit, statistics);
}

}  // namespace

int64_t PartialSums(int64_t size) { return Blocks(size); }

template <typename T>
cudaError_t LaunchMix(const MixtureShape& shape, const T* x, const T* probs,
                      const Lattice<T>* lattices, T* y, cudaStream_t stream) {
  const auto kernel = FitsInt32(shape.size) ? MixKernel<T, uint32_t> : MixKernel<T, uint64_t>;
  kernel<<<Blocks(shape.size), kThreads, 0, stream>>>(shape, x, probs, lattices, y);
  return cudaGetLastError();
}

template <typename T>
cudaError_t LaunchMixBackward(const MixtureShape& shape, const T* grad, const T* x, const T* probs,
                              const Lattice<T>* lattices, T* grad_x, double* partial_sums,
                              cudaStream_t stream) {
  const auto kernel =
      FitsInt32(shape.size) ? MixBackwardKernel<T, uint32_t> : MixBackwardKernel<T, uint64_t>;
  kernel<<<PartialSums(shape.size), kThreads, 0, stream>>>(shape, grad, x, probs, lattices, grad_x,
                                                           partial_sums);
  return cudaGetLastError();
}

template <typename T>
cudaError_t LaunchLattices(const LatticeRecipe& recipe, const T* tensor_std, const T* min,
                           const T* max, const T* tensor_min, Lattice<T>* lattices,
                           cudaStream_t stream) {
  const int64_t blocks = (recipe.candidates * recipe.channels + kThreads - 1) / kThreads;
  LatticesKernel<<<blocks, kThreads, 0, stream>>>(recipe, tensor_std, min, max, tensor_min,
                                                  lattices);
  return cudaGetLastError();
}

#define QUANT_INSTANTIATE(T)                                                                     \
  template cudaError_t LaunchMix(const MixtureShape&, const T*, const T*, const Lattice<T>*, T*, \
                                 cudaStream_t);                                                  \
  template cudaError_t LaunchMixBackward(const MixtureShape&, const T*, const T*, const T*,      \
                                         const Lattice<T>*, T*, double*, cudaStream_t);          \
  template cudaError_t LaunchLattices(const LatticeRecipe&, const T*, const T*, const T*,        \
                                      const T*, Lattice<T>*, cudaStream_t);
QUANT_INSTANTIATE(float)
QUANT_INSTANTIATE(double)
#undef QUANT_INSTANTIATE

}  // namespace quant
