#include "data/pixels/pixel_policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace data {
namespace {

constexpr int kMaxMagnitude = 30;

double Between(double low, double high, Random& random) {
  return low + (high - low) * random.Uniform();
}

void Jitter(const PixelPolicy& policy, Random& random, RgbImage image) {
  std::array<int, 4> order = {0, 1, 2, 3};
  Shuffle(order, 0, order.size(), random);
  const auto factor = [&](double x) { return Between(std::max(0.0, 1 - x), 1 + x, random); };
  for (const int i : order) {
    if (i == 0 && policy.brightness > 0) AdjustBrightness(factor(policy.brightness), image);
    if (i == 1 && policy.contrast > 0) AdjustContrast(factor(policy.contrast), image);
    if (i == 2 && policy.saturation > 0) AdjustSaturation(factor(policy.saturation), image);
    if (i == 3 && policy.hue > 0) AdjustHue(Between(-policy.hue, policy.hue, random), image);
  }
}

// How strong the ops of a policy are at the most.
struct Strengths {
  double shear;
  double shift_x, shift_y;  // Pixels.
  double degrees;
  double blend;        // A factor's distance from 1.
  int posterize_bits;  // That are lost.
};

enum Op {
  kIdentity,
  kShearX,
  kShearY,
  kShiftX,
  kShiftY,
  kRotate,
  kBrightness,
  kColor,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutoContrast,
  kEqualize,
  kNumOps,
};

// `magnitude` of kMaxMagnitude.
void Apply(Op op, int magnitude, const Strengths& strengths, Random& random, RgbImage image,
           ScratchBuffer& scratch) {
  const double share = static_cast<double>(magnitude) / kMaxMagnitude;
  const bool has_sign = op >= kShearX && op <= kSharpness;
  const double sign = has_sign && random.Below(2) == 1 ? -1 : 1;
  const double factor = 1 + sign * strengths.blend * share;
  switch (op) {
    case kShearX:
      return Warp({.xy = sign * strengths.shear * share}, image, scratch);
    case kShearY:
      return Warp({.yx = sign * strengths.shear * share}, image, scratch);
    case kShiftX:
      return Warp({.x0 = -std::trunc(sign * strengths.shift_x * share)}, image, scratch);
    case kShiftY:
      return Warp({.y0 = -std::trunc(sign * strengths.shift_y * share)}, image, scratch);
    case kRotate:
      return Warp(Rotation(sign * strengths.degrees * share, image.width, image.height), image,
                  scratch);
    case kBrightness:
      return AdjustBrightness(factor, image);
    case kColor:
      return AdjustSaturation(factor, image);
    case kContrast:
      return AdjustContrast(factor, image);
    case kSharpness:
      return AdjustSharpness(factor, image, scratch);
    case kPosterize:
      return Posterize(8 - static_cast<int>(std::lround(strengths.posterize_bits * share)), image);
    case kSolarize:
      return Solarize(255 - 255 * magnitude / kMaxMagnitude, image);
    case kAutoContrast:
      return AutoContrast(image);
    case kEqualize:
      return Equalize(image);
    case kIdentity:
    case kNumOps:
      return;
  }
}

Op DrawOp(Random& random) { return static_cast<Op>(random.Below(kNumOps)); }

}  // namespace

absl::Status CheckPixelPolicy(const PixelPolicy& policy) {
  const auto check = [](bool good, const char* what) {
    return good ? absl::OkStatus()
                : absl::InvalidArgumentError(absl::StrCat("augmentation: ", what));
  };
  for (const auto& [value, what] : {std::pair(policy.brightness, "brightness: not 0 to 16"),
                                    std::pair(policy.contrast, "contrast: not 0 to 16"),
                                    std::pair(policy.saturation, "saturation: not 0 to 16")}) {
    RETURN_IF_ERROR(check(value >= 0 && value <= 16, what));
  }
  RETURN_IF_ERROR(check(policy.hue >= 0 && policy.hue <= 0.5, "hue: not 0 to 0.5"));
  RETURN_IF_ERROR(check(policy.ops >= 1 && policy.ops <= 16, "ops: not 1 to 16"));
  return check(policy.magnitude >= 0 && policy.magnitude <= kMaxMagnitude,
               "magnitude: not 0 to 30");
}

void ApplyPixelPolicy(const PixelPolicy& policy, Random& random, RgbImage image,
                      ScratchBuffer& scratch) {
  Jitter(policy, random, image);
  if (policy.kind == PixelPolicy::Kind::kTrivialAugment) {
    constexpr Strengths kWide = {.shear = 0.99,
                                 .shift_x = 32,
                                 .shift_y = 32,
                                 .degrees = 135,
                                 .blend = 0.99,
                                 .posterize_bits = 6};
    const Op op = DrawOp(random);
    const int magnitude = static_cast<int>(random.Below(kMaxMagnitude + 1));
    Apply(op, magnitude, kWide, random, image, scratch);
  } else if (policy.kind == PixelPolicy::Kind::kRandAugment) {
    const Strengths strengths = {.shear = 0.3,
                                 .shift_x = 150.0 / 331 * image.width,
                                 .shift_y = 150.0 / 331 * image.height,
                                 .degrees = 30,
                                 .blend = 0.9,
                                 .posterize_bits = 4};
    for (int i = 0; i < policy.ops; ++i) {
      Apply(DrawOp(random), policy.magnitude, strengths, random, image, scratch);
    }
  }
}

}  // namespace data
