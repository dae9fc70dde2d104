// JPEGs decoded by NVIDIA's nvJPEG: on the GPU's JPEG engines where it has them (A100, Hopper, …),
// else by its general processors, Huffman codes included. What nvJPEG would decode with the
// processor's help, such as progressive JPEGs, is left to the processor.
//
// Links itself in as the device of LinkedJpegDevice().
#ifndef DATA_NVJPEG_NVJPEG_DEVICE_H_
#define DATA_NVJPEG_NVJPEG_DEVICE_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "data/codec/jpeg_device.h"

namespace data {

enum class NvjpegBackend {
  kEngine,  // decodes no parts, always whole JPEGs
  kCores,
};

// On the calling thread's current CUDA device, with those of `backends` that the device has: a
// JPEG is decoded by the first that takes it. One handle of nvJPEG; lanes may be used on any
// thread, one at a time. NotFound if there is no CUDA device or it has none of the backends.
absl::StatusOr<std::shared_ptr<JpegDevice>> CreateNvjpegDevice(
    const std::vector<NvjpegBackend>& backends = {NvjpegBackend::kEngine, NvjpegBackend::kCores});

}  // namespace data

#endif  // DATA_NVJPEG_NVJPEG_DEVICE_H_
