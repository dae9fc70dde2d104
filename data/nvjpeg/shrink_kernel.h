// ShrinkPixel for all pixels of a job, on a GPU.
#ifndef DATA_NVJPEG_SHRINK_KERNEL_H_
#define DATA_NVJPEG_SHRINK_KERNEL_H_

#include <cstdint>

#include "cuda_runtime_api.h"
#include "data/codec/shrink_pixels.h"

namespace data {

// Queues it; job.rgb and `rgbx` are on the device.
cudaError_t LaunchShrink(const ShrinkJob& job, uint8_t* rgbx, cudaStream_t stream);

}  // namespace data

#endif  // DATA_NVJPEG_SHRINK_KERNEL_H_
