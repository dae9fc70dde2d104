// EXIF orientation: how a camera was held.
#ifndef DATA_CODEC_EXIF_H_
#define DATA_CODEC_EXIF_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace data {

inline constexpr int kUpright = 1;

// The orientation, 1 to 8, that a JPEG's first EXIF segment gives (tag 0x112); kUpright if there is
// none, or none that makes sense.
int ExifOrientation(absl::Span<const uint8_t> jpeg);

// Turns width x height RGB pixels taken in `orientation` upright. Swaps width and height for 5
// to 8.
void TurnUpright(int orientation, int& width, int& height, std::vector<uint8_t>& rgb);

}  // namespace data

#endif  // DATA_CODEC_EXIF_H_
