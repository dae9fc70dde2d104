#include "data/codec/exif.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "data/codec/jpeg_markers.h"

namespace data {
namespace {

// Reads TIFF integers in the file's byte order; 0 outside the file.
class Tiff {
 public:
  explicit Tiff(absl::Span<const uint8_t> bytes)
      : bytes_(bytes), little_(bytes.size() > 1 && bytes[0] == 'I') {}

  uint32_t Read(size_t at, int size) const {
    if (at > bytes_.size() || bytes_.size() - at < static_cast<size_t>(size)) return 0;
    uint32_t value = 0;
    for (int i = 0; i < size; ++i)
      value = value << 8 | bytes_[little_ ? at + size - 1 - i : at + i];
    return value;
  }

 private:
  const absl::Span<const uint8_t> bytes_;
  const bool little_;
};

int OrientationOf(absl::Span<const uint8_t> tiff_bytes) {
  constexpr uint32_t kOrientation = 0x112, kShort = 3;
  constexpr size_t kEntrySize = 12;
  const Tiff tiff(tiff_bytes);
  const size_t directory = tiff.Read(4, 4);
  const uint32_t entries = tiff.Read(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntrySize;
    if (tiff.Read(entry, 2) == kOrientation && tiff.Read(entry + 2, 2) == kShort) {
      const uint32_t orientation = tiff.Read(entry + 8, 2);
      return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : kUpright;
    }
  }
  return kUpright;
}

}  // namespace

int ExifOrientation(absl::Span<const uint8_t> jpeg) {
  constexpr char kExif[6] = {'E', 'x', 'i', 'f', 0, 0};
  for (JpegHeaderWalk walk(jpeg); walk.Next();) {
    const absl::Span<const uint8_t> content = walk.content();
    if (walk.marker() == kApp1 && content.size() >= sizeof(kExif) &&
        std::memcmp(content.data(), kExif, sizeof(kExif)) == 0) {
      return OrientationOf(content.subspan(sizeof(kExif)));
    }
  }
  return kUpright;
}

void TurnUpright(int orientation, int& width, int& height, std::vector<uint8_t>& rgb) {
  if (orientation == kUpright) return;
  // The eight orientations are: swap the axes or not, then mirror each axis of the stored image or
  // not.
  const bool swap = orientation >= 5;
  const bool mirror_x =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirror_y =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int old_width = width, old_height = height;
  if (swap) std::swap(width, height);
  std::vector<uint8_t> turned(rgb.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int u = swap ? y : x, v = swap ? x : y;
      const int from_x = mirror_x ? old_width - 1 - u : u;
      const int from_y = mirror_y ? old_height - 1 - v : v;
      const uint8_t* from = &rgb[3 * (size_t(from_y) * old_width + from_x)];
      std::copy(from, from + 3, &turned[3 * (size_t(y) * width + x)]);
    }
  }
  rgb = std::move(turned);
}

}  // namespace data
