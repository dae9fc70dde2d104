// Decodes samples of any encoding.
#ifndef DATA_CODEC_IMAGE_DECODER_H_
#define DATA_CODEC_IMAGE_DECODER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/codec/jpeg_decoder.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/pixel_region.h"

namespace data {

// For one thread at a time; keeps its memory from image to image. DataLoss for damaged samples.
class ImageDecoder {
 public:
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
  JpegDecoder jpeg_;
  ScratchBuffer pixels_;
};

}  // namespace data

#endif  // DATA_CODEC_IMAGE_DECODER_H_
