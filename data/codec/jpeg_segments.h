// A smaller JPEG made of just the restart segments that a rectangle touches.
#ifndef DATA_CODEC_JPEG_SEGMENTS_H_
#define DATA_CODEC_JPEG_SEGMENTS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/codec/jpeg_header.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/pixel_region.h"

namespace data {

struct JpegSegments {
  absl::Span<const uint8_t> jpeg;  // in the scratch buffer
  Rect rect;                       // the part of the whole image that it shows
};

// `rect` must lie in the image. DataLoss if `sample.restarts` does not fit the JPEG.
absl::StatusOr<JpegSegments> ExtractSegments(const EncodedSample& sample, const JpegHeader& header,
                                             const Rect& rect, ScratchBuffer& buffer);

}  // namespace data

#endif  // DATA_CODEC_JPEG_SEGMENTS_H_
