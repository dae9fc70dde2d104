// A device that decodes JPEGs in place of the processor, as DeviceJpegDecoder uses it: nvJPEG
// (data/nvjpeg), or in tests a stand-in. And how a library for one, linked in by --config=cuda,
// makes itself known.
#ifndef DATA_CODEC_JPEG_DEVICE_H_
#define DATA_CODEC_JPEG_DEVICE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/codec/shrink_pixels.h"
#include "data/pixels/pixel_region.h"

namespace data {

// What one thread decodes with. Of the JPEG itself an error says Unimplemented: the device does not
// take it, or finds something odd in it; another decoder decides whether it is damaged. Any other
// error is one of the device. After an error nothing that was queued goes on.
class JpegLane {
 public:
  enum class Memory {
    kDevice,
    kHost,  // which the device copies to without the processor
  };

  virtual ~JpegLane() = default;

  // Takes up a JPEG, whose bytes must stay until Fetch. The calls below are about it.
  virtual absl::Status Parse(absl::Span<const uint8_t> jpeg) = 0;

  // Whether just this part of its pixels can be decoded.
  virtual absl::StatusOr<bool> CanDecodePart(const Rect& part) = 0;

  // Queues decoding of `part`, the whole image or what CanDecodePart was last told, to `rgb` on the
  // device: 3 bytes a pixel, rows without gaps.
  virtual absl::Status Decode(const Rect& part, uint8_t* rgb) = 0;

  // Queues ShrinkPixel for all of job.target. `rgbx` is on the device.
  virtual absl::Status Shrink(const ShrinkJob& job, uint8_t* rgbx) = 0;

  // Copies from the device to kHost memory once all that was queued is done, and returns then.
  virtual absl::Status Fetch(const uint8_t* from, size_t bytes, uint8_t* to) = 0;

  virtual absl::StatusOr<uint8_t*> Allocate(Memory where, size_t bytes) = 0;
  virtual void Free(Memory where, uint8_t* memory) = 0;
};

// Thread-safe; outlives its lanes.
class JpegDevice {
 public:
  virtual ~JpegDevice() = default;

  virtual absl::StatusOr<std::unique_ptr<JpegLane>> NewLane() = 0;

  // Images that lanes decoded, and JPEGs that were left to the processor.
  std::atomic<int64_t> decoded = 0;
  std::atomic<int64_t> left = 0;
};

// The device that is the calling thread's current one. NotFound if there is none.
using JpegDeviceFactory = absl::StatusOr<std::shared_ptr<JpegDevice>> (*)();

// Called while static storage is initialized; returns true.
bool RegisterJpegDevice(JpegDeviceFactory factory);

// nullptr if none is linked in.
JpegDeviceFactory LinkedJpegDevice();

}  // namespace data

#endif  // DATA_CODEC_JPEG_DEVICE_H_
