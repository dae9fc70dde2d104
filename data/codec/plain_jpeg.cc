#include "data/codec/plain_jpeg.h"

#include <cstddef>
#include <cstring>

namespace data {
namespace {

constexpr uint8_t kBaselineFrame = 0xc0;
constexpr uint8_t kHuffmanTables = 0xc4;
constexpr uint8_t kScan = 0xda;
constexpr uint8_t kAdobe = 0xee;

using Segment = absl::Span<const uint8_t>;  // behind the two bytes of its length

bool IsOtherFrame(uint8_t marker) {  // or DAC, which arithmetic coding has
  return marker > kBaselineFrame && marker <= 0xcf && marker != kHuffmanTables;
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
  if (jpeg.size() < 4 || jpeg[0] != 0xff || jpeg[1] != 0xd8) return false;
  int components = 0;
  bool untransformed = false;
  for (size_t at = 2; at + 4 <= jpeg.size();) {
    if (jpeg[at] != 0xff) return false;
    const uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    const size_t length = jpeg[at + 2] << 8 | jpeg[at + 3];
    if (length < 2 || at + 2 + length > jpeg.size()) return false;
    const Segment segment = jpeg.subspan(at + 4, length - 2);
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
    at += 2 + length;
  }
  return false;
}

}  // namespace data
