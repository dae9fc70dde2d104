// Decodes PNGs, which ImageNet has under .JPEG names.
#ifndef DATA_CODEC_PNG_DECODER_H_
#define DATA_CODEC_PNG_DECODER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/pixel_region.h"

namespace data {

// A rectangle with the size that the header declares. DataLoss if the file is damaged: every
// chunk's checksum must hold, up to the end chunk; or if the image is larger than kMaxPixels.
absl::StatusOr<Rect> ReadPngSize(absl::Span<const uint8_t> png);

// The whole image as 8-bit RGB, in `buffer`: the values that Pillow's convert("RGB") gives. So
// transparency is dropped, gamma and colour profiles are not applied, and of 16 bits the upper 8
// are taken; but 16-bit gray without transparency is cut off at 255.
absl::StatusOr<PixelRegion> DecodePng(absl::Span<const uint8_t> png, ScratchBuffer& buffer);

}  // namespace data

#endif  // DATA_CODEC_PNG_DECODER_H_
