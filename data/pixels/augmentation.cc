#include "data/pixels/augmentation.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace data {
namespace {

constexpr Normalization kCifar = {{0.49139968f, 0.48215827f, 0.44653124f},
                                  {0.24703233f, 0.24348505f, 0.26158768f}};
constexpr Normalization kImageNet = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
constexpr int kImageNetSize = 224;

Rect CenterRect(int width, int height, int inner_width, int inner_height) {
  return {(width - inner_width) / 2, (height - inner_height) / 2, inner_width, inner_height};
}

Rect ResizedCrop(const Augmentation& augmentation, int width, int height, Random& random) {
  constexpr int kTries = 10;
  const double log_min = std::log(augmentation.min_ratio);
  const double log_max = std::log(augmentation.max_ratio);
  for (int i = 0; i < kTries; ++i) {
    const double share =
        augmentation.min_area + (augmentation.max_area - augmentation.min_area) * random.Uniform();
    const double area = share * width * height;
    const double ratio = std::exp(log_min + (log_max - log_min) * random.Uniform());
    const int w = static_cast<int>(std::lround(std::sqrt(area * ratio)));
    const int h = static_cast<int>(std::lround(std::sqrt(area / ratio)));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const int x = static_cast<int>(random.Below(width - w + 1));
    const int y = static_cast<int>(random.Below(height - h + 1));
    return {x, y, w, h};
  }
  const double ratio = static_cast<double>(width) / height;
  int w = width, h = height;
  if (ratio < augmentation.min_ratio) {
    h = std::clamp(static_cast<int>(std::lround(w / augmentation.min_ratio)), 1, height);
  } else if (ratio > augmentation.max_ratio) {
    w = std::clamp(static_cast<int>(std::lround(h * augmentation.max_ratio)), 1, width);
  }
  return CenterRect(width, height, w, h);
}

// The window at a drawn place of the padded image, cut to the image.
absl::Status Shift(const Augmentation& augmentation, int width, int height, Random& random,
                   View& view) {
  const int size = augmentation.size, padding = augmentation.padding;
  if (width + 2 * padding < size || height + 2 * padding < size) {
    return absl::InvalidArgumentError(absl::StrCat(width, "x", height, " pixels and padding ",
                                                   padding, " are less than the crop of ", size));
  }
  const int x = static_cast<int>(random.Below(width + 2 * padding - size + 1)) - padding;
  const int y = static_cast<int>(random.Below(height + 2 * padding - size + 1)) - padding;
  const int x0 = std::clamp(x, 0, width), x1 = std::clamp(x + size, 0, width);
  const int y0 = std::clamp(y, 0, height), y1 = std::clamp(y + size, 0, height);
  view.source = {x0, y0, x1 - x0, y1 - y0};
  view.target = {x0 - x, y0 - y, x1 - x0, y1 - y0};
  return absl::OkStatus();
}

// A square around a pixel drawn from the output, cut to the output (DeVries and Taylor, 2017).
Rect Cutout(int size, int side, Random& random) {
  const int x = static_cast<int>(random.Below(size)), y = static_cast<int>(random.Below(size));
  const int x0 = std::clamp(x - side / 2, 0, size), x1 = std::clamp(x + side / 2, 0, size);
  const int y0 = std::clamp(y - side / 2, 0, size), y1 = std::clamp(y + side / 2, 0, size);
  return {x0, y0, x1 - x0, y1 - y0};
}

}  // namespace

Augmentation CifarTrain() {
  Augmentation augmentation = CifarEval();
  augmentation.padding = 4;
  augmentation.flip = true;
  return augmentation;
}

Augmentation CifarEval() {
  Augmentation augmentation;
  augmentation.normalization = kCifar;
  return augmentation;
}

Augmentation ImageNetTrain() {
  Augmentation augmentation = ImageNetEval();
  augmentation.crop = Augmentation::Crop::kResized;
  augmentation.flip = true;
  return augmentation;
}

Augmentation ImageNetEval() {
  Augmentation augmentation;
  augmentation.crop = Augmentation::Crop::kCenter;
  augmentation.size = kImageNetSize;
  augmentation.normalization = kImageNet;
  return augmentation;
}

absl::Status CheckAugmentation(const Augmentation& augmentation) {
  const auto check = [](bool good, absl::string_view what) {
    return good ? absl::OkStatus()
                : absl::InvalidArgumentError(absl::StrCat("augmentation: ", what));
  };
  RETURN_IF_ERROR(
      check(augmentation.size >= 1 && augmentation.size <= 4096, "size: not 1 to 4096"));
  RETURN_IF_ERROR(check(augmentation.padding >= 0 && augmentation.padding < augmentation.size,
                        "padding: not 0 to size - 1"));
  RETURN_IF_ERROR(check(augmentation.cutout >= 0, "cutout: negative"));
  RETURN_IF_ERROR(check(augmentation.min_area > 0 && augmentation.max_area <= 1 &&
                            augmentation.min_area <= augmentation.max_area,
                        "min_area, max_area: not 0 < min <= max <= 1"));
  RETURN_IF_ERROR(
      check(augmentation.min_ratio > 0 && augmentation.min_ratio <= augmentation.max_ratio,
            "min_ratio, max_ratio: not 0 < min <= max"));
  RETURN_IF_ERROR(
      check(augmentation.center > 0 && augmentation.center <= 1, "center: not 0 < center <= 1"));
  for (const float std : augmentation.normalization.std) {
    RETURN_IF_ERROR(check(std > 0, "std: not above 0"));
  }
  return CheckPixelPolicy(augmentation.policy);
}

absl::StatusOr<View> DrawView(const Augmentation& augmentation, int width, int height,
                              Random& random) {
  View view;
  view.target = {0, 0, augmentation.size, augmentation.size};
  switch (augmentation.crop) {
    case Augmentation::Crop::kShift:
      RETURN_IF_ERROR(Shift(augmentation, width, height, random, view));
      break;
    case Augmentation::Crop::kResized:
      view.source = ResizedCrop(augmentation, width, height, random);
      break;
    case Augmentation::Crop::kCenter: {
      const int side = std::max(1, static_cast<int>(augmentation.center * std::min(width, height)));
      view.source = CenterRect(width, height, side, side);
      break;
    }
  }
  if (augmentation.flip) view.mirror = random.Below(2) == 1;
  if (augmentation.cutout > 0) view.erased = Cutout(augmentation.size, augmentation.cutout, random);
  return view;
}

}  // namespace data
