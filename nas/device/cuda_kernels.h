// Launches kernels on CUDA: plain structs, so that nvcc sees none of LibTorch.
#ifndef NAS_DEVICE_CUDA_KERNELS_H_
#define NAS_DEVICE_CUDA_KERNELS_H_

#include "cuda_runtime_api.h"
#include "nas/device/kernels.h"

namespace nas::device {

// T is float or double.
template <typename T>
cudaError_t LaunchOnCuda(const Kernel<T>& kernel, cudaStream_t stream);

}  // namespace nas::device

#endif  // NAS_DEVICE_CUDA_KERNELS_H_
