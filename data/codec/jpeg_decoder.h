// Decodes JPEGs, whole or just the part that a crop needs.
//
// Partial decoding gives the pixels of a whole decode, bit for bit: columns outside the rectangle
// are not transformed, rows above it are entropy-decoded only, rows below it not at all; and where
// the restart markers' places are known, only the segments that the rectangle touches are looked
// at.
#ifndef DATA_CODEC_JPEG_DECODER_H_
#define DATA_CODEC_JPEG_DECODER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/pixels/pixel_region.h"

namespace data {

// For one thread at a time; keeps its memory from image to image.
class JpegDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder();

  // Decodes at least `rect` (pixels of the whole image, which are sample.width x sample.height),
  // shrunk by 2^log2_shrink, 0 to 3, in the inverse DCT. The result's `rect` counts shrunk pixels
  // and covers `rect` rounded outwards; it lives until the next call. CMYK and YCCK become RGB as
  // Adobe's inverted inks.
  //
  // DataLoss if libjpeg reports an error or a warning of damage (jpeg_error.h), or if the image is
  // not of the size the sample says, larger than kMaxPixels, or in more than kMaxJpegScans.
  // Unless sample.verified, all of the image is entropy-decoded to find damage anywhere.
  absl::StatusOr<PixelRegion> Decode(const EncodedSample& sample, const Rect& rect,
                                     int log2_shrink = 0);

  // The same error, if Decode of a sample that is not verified would give one. Entropy-decodes all
  // of the image, and next to nothing else.
  absl::Status Check(const EncodedSample& sample);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace data

#endif  // DATA_CODEC_JPEG_DECODER_H_
