// Two images made of two: mixup (Zhang et al., 2017) and cutmix (Yun et al., 2019).
#ifndef DATA_PIXELS_MIXING_H_
#define DATA_PIXELS_MIXING_H_

#include <cstdint>

#include "absl/status/status.h"
#include "data/pixels/pixel_region.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/random.h"

namespace data {

struct Mixing {
  // The parameter a of Beta(a, a), of which an image's share is drawn; 0: off. With both on, half
  // of the pairs get the one, half the other.
  double mixup = 0;
  double cutmix = 0;

  bool any() const { return mixup > 0 || cutmix > 0; }
};

// InvalidArgument, naming the field, if a value makes no sense.
absl::Status CheckMixing(const Mixing& mixing);

// What two images of size x size pixels become: each keeps `share` of itself, of 1024, and takes
// the rest from the other: everywhere, or, if `swapped` is not empty, all of that part and no more.
struct Mix {
  static constexpr int64_t kWhole = 1024;
  int64_t share = kWhole;
  Rect swapped = {};
};

// `mixing` has passed CheckMixing, and something is on.
Mix DrawMix(const Mixing& mixing, int size, Random& random);

// Changes both images, in the format given.
void MixImages(const Mix& mix, PixelFormat format, int size, uint8_t* a, uint8_t* b);

}  // namespace data

#endif  // DATA_PIXELS_MIXING_H_
