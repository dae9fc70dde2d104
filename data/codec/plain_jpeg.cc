#include "data/codec/plain_jpeg.h"

#include <cstring>

#include "data/codec/jpeg_markers.h"

namespace data {
namespace {

using Segment = absl::Span<const uint8_t>;  // behind the two bytes of its length

bool IsOtherFrame(uint8_t marker) {  // or DAC, which arithmetic coding has
  return marker > kBaselineFrame && marker <= kLastFrame && marker != kHuffmanTables;
}

bool IsPlainFrame(const Segment& frame) {
  if (frame.size() < 9 || frame[0] != 8) return false;  // bits of a sample
  const int components = frame[5];
  if ((components != 1 && components != 3) || frame.size() < 6 + 3 * components) return false;
  if (components == 1) return frame[7] == 0x11;
  const uint8_t luma = frame[7];
  if (luma != 0x11 && luma != 0x21 && luma != 0x12 && luma != 0x22) return false;
  if (frame[10] != 0x11 || frame[13] != 0x11) return false;
  // By these names libjpeg knows RGB.
  return frame[6] != 'R' || frame[9] != 'G' || frame[12] != 'B';
}

// Adobe's marker says so of three components that are RGB.
bool SaysUntransformed(const Segment& adobe) {
  return adobe.size() >= 12 && std::memcmp(adobe.data(), "Adobe", 5) == 0 && adobe[11] == 0;
}

}  // namespace

bool IsPlainJpeg(absl::Span<const uint8_t> jpeg) {
  int components = 0;
  bool untransformed = false;
  for (JpegHeaderWalk walk(jpeg); walk.Next();) {
    const uint8_t marker = walk.marker();
    const Segment segment = walk.content();
    if (marker == kScan) {
      const bool all = !segment.empty() && segment[0] == components;
      return components > 0 && all && !(components == 3 && untransformed);
    }
    if (IsOtherFrame(marker)) return false;
    if (marker == kBaselineFrame) {
      if (components > 0 || !IsPlainFrame(segment)) return false;
      components = segment[5];
    }
    if (marker == kAdobe) untransformed = untransformed || SaysUntransformed(segment);
  }
  return false;
}

}  // namespace data
