// The segments of a JPEG's header, found without a decoder.
#ifndef DATA_CODEC_JPEG_MARKERS_H_
#define DATA_CODEC_JPEG_MARKERS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace data {

// Markers (ITU-T T.81, table B.1).
inline constexpr uint8_t kBaselineFrame = 0xc0, kExtendedFrame = 0xc1, kHuffmanTables = 0xc4,
                         kArithmeticTables = 0xcc, kLastFrame = 0xcf, kRestart0 = 0xd0,
                         kStartOfImage = 0xd8, kEndOfImage = 0xd9, kScan = 0xda, kQuantizers = 0xdb,
                         kRestartInterval = 0xdd, kApp1 = 0xe1, kAdobe = 0xee;

// Goes from segment to segment (T.81, B.2), fill bytes between them left out:
//
//   for (JpegHeaderWalk walk(jpeg); walk.Next();) { … walk.marker() … walk.content() … }
class JpegHeaderWalk {
 public:
  explicit JpegHeaderWalk(absl::Span<const uint8_t> jpeg) : jpeg_(jpeg) {}

  // False behind the first scan's segment, at the end of the image, and where no segment is.
  bool Next() {
    if (next_ == 0) {
      if (jpeg_.size() < 4 || jpeg_[0] != 0xff || jpeg_[1] != kStartOfImage) return false;
      next_ = 2;
    }
    if (marker_ == kScan) return false;
    at_ = next_;
    while (at_ + 4 <= jpeg_.size() && jpeg_[at_] == 0xff && jpeg_[at_ + 1] == 0xff) ++at_;
    if (at_ + 4 > jpeg_.size() || jpeg_[at_] != 0xff || jpeg_[at_ + 1] == kEndOfImage) return false;
    const size_t length = jpeg_[at_ + 2] << 8 | jpeg_[at_ + 3];
    if (length < 2 || at_ + 2 + length > jpeg_.size()) return false;
    marker_ = jpeg_[at_ + 1];
    content_ = jpeg_.subspan(at_ + 4, length - 2);
    next_ = at_ + 2 + length;
    return true;
  }

  uint8_t marker() const { return marker_; }
  // Behind the two bytes of its length.
  absl::Span<const uint8_t> content() const { return content_; }
  // Where its marker stands; after Next has failed, where it found none.
  size_t at() const { return at_; }

 private:
  const absl::Span<const uint8_t> jpeg_;
  size_t at_ = 0, next_ = 0;
  uint8_t marker_ = 0;
  absl::Span<const uint8_t> content_;
};

}  // namespace data

#endif  // DATA_CODEC_JPEG_MARKERS_H_
