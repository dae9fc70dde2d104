#include <cstddef>
#include <variant>

#include "nas/device/cuda_kernels.h"
#include "nas/device/team.h"

namespace nas::device {
namespace {

constexpr int kThreads = 256;

// A block.
struct CudaTeam {
  template <typename Body>
  __device__ void ForEach(int count, const Body& body) const {
    for (int i = threadIdx.x; i < count; i += kThreads) body(i);
    __syncthreads();
  }
};

template <typename T, typename Run>
__global__ void __launch_bounds__(kThreads) RunKernel(const __grid_constant__ Run run) {
  extern __shared__ double shared[];
  run.Run(CudaTeam(), blockIdx.x, reinterpret_cast<T*>(shared));
}

template <typename T, typename Run>
cudaError_t LaunchOne(const Run& run, cudaStream_t stream) {
  static_assert(sizeof(Run) < (32 << 10), "more than a kernel's arguments may take");
  if (run.blocks() == 0) return cudaSuccess;
  constexpr size_t kBytes = kSharedValues * sizeof(T);
  constexpr size_t kWithoutAsking = 48 << 10;
  if constexpr (kBytes > kWithoutAsking) {
    const cudaError_t error = cudaFuncSetAttribute(
        RunKernel<T, Run>, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
    if (error != cudaSuccess) return error;
  }
  RunKernel<T><<<run.blocks(), kThreads, kBytes, stream>>>(run);
  return cudaGetLastError();
}

}  // namespace

template <typename T>
cudaError_t LaunchOnCuda(const Kernel<T>& kernel, cudaStream_t stream) {
  return std::visit([stream](const auto& run) { return LaunchOne<T>(run, stream); }, kernel);
}

template cudaError_t LaunchOnCuda(const Kernel<float>&, cudaStream_t);
template cudaError_t LaunchOnCuda(const Kernel<double>&, cudaStream_t);

}  // namespace nas::device
