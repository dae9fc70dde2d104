// Registers CUDA as a device that runs the kernels.

#include "c10/cuda/CUDAException.h"
#include "c10/cuda/CUDAStream.h"
#include "nas/device/cuda_kernels.h"
#include "nas/device/launcher.h"

namespace nas::device {
namespace {

class CudaLauncher : public Launcher {
 public:
  void Launch(const Kernel<float>& kernel) override { Run(kernel); }
  void Launch(const Kernel<double>& kernel) override { Run(kernel); }

 private:
  template <typename T>
  void Run(const Kernel<T>& kernel) {
    C10_CUDA_CHECK(LaunchOnCuda(kernel, c10::cuda::getCurrentCUDAStream()));
  }
};

const bool registered = [] {
  static CudaLauncher launcher;
  SetLauncher(c10::DeviceType::CUDA, &launcher);
  return true;
}();

}  // namespace
}  // namespace nas::device
