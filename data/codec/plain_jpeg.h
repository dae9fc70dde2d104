// Which JPEGs are of the kind that every decoder takes alike, found without a decoder.
#ifndef DATA_CODEC_PLAIN_JPEG_H_
#define DATA_CODEC_PLAIN_JPEG_H_

#include <cstdint>

#include "absl/types/span.h"

namespace data {

// Whether a JPEG is what cameras and libraries write unless they are told otherwise: baseline
// (SOF0) of 8 bits, in one scan; gray, or YCbCr with chroma of full or half resolution in each
// direction. False for progressive and arithmetic coding, for CMYK, YCCK and RGB, for other
// subsampling (4:1:1), for several scans, and for what has no header up to its first scan. Looks at
// the headers alone.
bool IsPlainJpeg(absl::Span<const uint8_t> jpeg);

}  // namespace data

#endif  // DATA_CODEC_PLAIN_JPEG_H_
