#include "data/nvjpeg/shrink_kernel.h"

namespace data {
namespace {

constexpr int kBlockWidth = 32, kBlockHeight = 8;

__global__ void ShrinkKernel(ShrinkJob job, uint8_t* rgbx) {
  const int x = blockIdx.x * kBlockWidth + threadIdx.x;
  const int y = blockIdx.y * kBlockHeight + threadIdx.y;
  if (x < job.target.width && y < job.target.height) ShrinkPixel(job, x, y, rgbx);
}

}  // namespace

cudaError_t LaunchShrink(const ShrinkJob& job, uint8_t* rgbx, cudaStream_t stream) {
  const dim3 block(kBlockWidth, kBlockHeight);
  const dim3 grid((job.target.width + kBlockWidth - 1) / kBlockWidth,
                  (job.target.height + kBlockHeight - 1) / kBlockHeight);
  ShrinkKernel<<<grid, block, 0, stream>>>(job, rgbx);
  return cudaGetLastError();
}

}  // namespace data
