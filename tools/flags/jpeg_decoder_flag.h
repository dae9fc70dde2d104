// What decodes JPEGs, of every tool that shows images to a network.
#ifndef TOOLS_FLAGS_JPEG_DECODER_FLAG_H_
#define TOOLS_FLAGS_JPEG_DECODER_FLAG_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "c10/core/Device.h"
#include "data/codec/jpeg_device.h"

namespace tools {

// --jpeg_decoder: "cpu" or "nvjpeg". It decides pixels, and so what a run computes.
const std::string& JpegDecoderName();

// InvalidArgument naming the flag, if it does not go with images on `device` or this binary cannot
// do what it asks for. To be called before anything takes time.
absl::Status CheckJpegDecoder(c10::DeviceType device);

// For LoaderOptions: the one device of this process, on the calling thread's current GPU, as long
// as a loader has it; null for the CPU. Errors name the flag. The log says in the end how many
// JPEGs it decoded and how many it left to the CPU.
absl::StatusOr<std::shared_ptr<data::JpegDevice>> JpegDeviceFromFlags(c10::DeviceType device);

}  // namespace tools

#endif  // TOOLS_FLAGS_JPEG_DECODER_FLAG_H_
