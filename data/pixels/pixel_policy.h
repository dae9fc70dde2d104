// Which of image_ops.h's changes an image gets: drawn anew for each sample and epoch.
#ifndef DATA_PIXELS_PIXEL_POLICY_H_
#define DATA_PIXELS_PIXEL_POLICY_H_

#include "absl/status/status.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/image_ops.h"
#include "data/pixels/random.h"

namespace data {

// As torchvision's transforms of these names define them, nearest pixel and black outside. Those
// that are on are applied in this order.
struct PixelPolicy {
  // ColorJitter: factors from max(0, 1 − x) to 1 + x, the hue by −hue to hue turns, in drawn order.
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;

  enum class Kind {
    kNone,
    kTrivialAugment,  // TrivialAugmentWide: one op of any strength (Müller and Hutter, 2021)
    kRandAugment,     // `ops` ops of `magnitude` thirtieths (Cubuk et al., 2019)
  };
  Kind kind = Kind::kNone;
  int ops = 2;        // kRandAugment, 1 to 16
  int magnitude = 9;  // kRandAugment, 0 to 30

  bool any() const {
    return kind != Kind::kNone || brightness > 0 || contrast > 0 || saturation > 0 || hue > 0;
  }
};

// InvalidArgument, naming the field, if a value makes no sense.
absl::Status CheckPixelPolicy(const PixelPolicy& policy);

// Draws the changes and makes them.
void ApplyPixelPolicy(const PixelPolicy& policy, Random& random, RgbImage image,
                      ScratchBuffer& scratch);

}  // namespace data

#endif  // DATA_PIXELS_PIXEL_POLICY_H_
