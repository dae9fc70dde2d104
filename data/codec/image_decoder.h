// Decodes samples of any encoding.
#ifndef DATA_CODEC_IMAGE_DECODER_H_
#define DATA_CODEC_IMAGE_DECODER_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/codec/device_jpeg_decoder.h"
#include "data/codec/jpeg_decoder.h"
#include "data/codec/jpeg_device.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/pixel_region.h"

namespace data {

// For one thread at a time; keeps its memory from image to image. DataLoss for damaged samples.
class ImageDecoder {
 public:
  // With a device JPEGs are decoded there (DeviceJpegDecoder, which says how pixels differ), but
  // for those that it does not take. What is damaged, the processor says in either case: it first
  // looks through all of a sample that is not verified. Errors of the device are not DataLoss.
  explicit ImageDecoder(std::shared_ptr<JpegDevice> device = nullptr);

  // Fills in width and height from the image's header where the sample does not know them.
  static absl::Status FindSize(EncodedSample& sample);

  // The largest log2_shrink, 0 to 3, that Decode takes and that leaves at least `side` pixels of
  // both sides of a crop.
  static int Log2Shrink(Encoding encoding, const Rect& crop, int side);

  // Decodes at least `rect`, which lies in the sample's width and height; see JpegDecoder::Decode.
  // The result lives until the next call.
  absl::StatusOr<PixelRegion> Decode(const EncodedSample& sample, const Rect& rect,
                                     int log2_shrink = 0);

  // The whole image.
  absl::StatusOr<PixelRegion> Decode(const EncodedSample& sample) {
    return Decode(sample, {0, 0, sample.width, sample.height});
  }

 private:
  absl::StatusOr<PixelRegion> DecodeJpeg(const EncodedSample& sample, const Rect& rect,
                                         int log2_shrink);

  JpegDecoder jpeg_;
  std::optional<DeviceJpegDecoder> device_;
  ScratchBuffer pixels_;
};

}  // namespace data

#endif  // DATA_CODEC_IMAGE_DECODER_H_
