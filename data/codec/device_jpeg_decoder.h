// Decodes JPEGs, or the part of them that a crop needs, on a device.
//
// The pixels differ from JpegDecoder's in their last bits: other inverse DCTs, other upsampling of
// chroma, and where it shrinks means of decoded pixels in place of a smaller inverse DCT. So a run
// keeps to one of both. Like JpegDecoder's they depend on the JPEG alone, on the same kind of
// device: not on the crop, and not on whether restart markers are known.
#ifndef DATA_CODEC_DEVICE_JPEG_DECODER_H_
#define DATA_CODEC_DEVICE_JPEG_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/codec/jpeg_device.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/pixel_region.h"

namespace data {

// For one thread at a time; keeps its memory, on the device too, from image to image.
class DeviceJpegDecoder {
 public:
  explicit DeviceJpegDecoder(std::shared_ptr<JpegDevice> device);
  ~DeviceJpegDecoder();

  // Whether Decode is worth a try: an IsPlainJpeg of the size that the sample says. One that is not
  // counts as left to the processor.
  bool MayTake(const EncodedSample& sample);

  // As JpegDecoder::Decode, of a sample that MayTake and is `verified`: devices are lenient, and
  // damage is for JpegDecoder to find. None if the device does not take it after all, which counts
  // as left. Errors are the device's and not DataLoss, but for restart offsets that do not fit.
  absl::StatusOr<std::optional<PixelRegion>> Decode(const EncodedSample& sample, const Rect& rect,
                                                    int log2_shrink);

 private:
  // Grows, and never shrinks.
  struct Buffer {
    const JpegLane::Memory where;
    uint8_t* memory = nullptr;
    size_t capacity = 0;
  };

  absl::StatusOr<uint8_t*> Reserve(Buffer& buffer, size_t bytes);
  absl::StatusOr<const uint8_t*> Run(absl::Span<const uint8_t> jpeg, const Rect& jpeg_rect,
                                     const Rect& wanted, ShrinkJob job);

  const std::shared_ptr<JpegDevice> device_;
  std::unique_ptr<JpegLane> lane_;  // made on the thread that decodes
  Buffer rgb_ = {JpegLane::Memory::kDevice};
  Buffer rgbx_ = {JpegLane::Memory::kDevice};
  Buffer fetched_ = {JpegLane::Memory::kHost};
  ScratchBuffer segments_;
};

}  // namespace data

#endif  // DATA_CODEC_DEVICE_JPEG_DECODER_H_
