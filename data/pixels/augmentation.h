// What is cut out of an image, and how it is flipped, changed and erased, for training and
// evaluation.
#ifndef DATA_PIXELS_AUGMENTATION_H_
#define DATA_PIXELS_AUGMENTATION_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/pixels/pixel_policy.h"
#include "data/pixels/pixel_region.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/random.h"

namespace data {

struct Augmentation {
  enum class Crop {
    kShift,    // a window of the image padded with black; nothing is resized (CIFAR)
    kResized,  // a random rectangle, resized (ImageNet training)
    kCenter,   // the centre square, resized (ImageNet evaluation)
  };
  Crop crop = Crop::kShift;
  int size = 32;      // side of the output, pixels
  int padding = 0;    // kShift: black pixels on each side; the window's place is drawn
  bool flip = false;  // left-right with probability 1/2
  int cutout = 0;     // side of the square set to normalized zero around a random pixel; 0: none
  // kResized: share of the image's area, and width / height.
  double min_area = 0.08;
  double max_area = 1;
  double min_ratio = 3.0 / 4;
  double max_ratio = 4.0 / 3;
  // kCenter: side of the square / shorter side of the image.
  double center = 224.0 / 256;
  PixelPolicy policy;  // after crop and flip, before cutout
  Normalization normalization;
};

// CIFAR-10's statistics; 32 pixels. Training: padding 4 and flips.
Augmentation CifarTrain();
Augmentation CifarEval();

// ImageNet's statistics; 224 pixels. Training: random resized crops and flips.
Augmentation ImageNetTrain();
Augmentation ImageNetEval();

// InvalidArgument, naming the field, if a value makes no sense.
absl::Status CheckAugmentation(const Augmentation& augmentation);

// What to do with one image: `source` of the image becomes `target` of the output (of equal size
// for kShift, else all of it), mirrored left-right as a whole, and `erased` (maybe empty) set to
// zero.
struct View {
  Rect source;
  Rect target;
  bool mirror = false;
  Rect erased;
};

// Draws the view of an image of width x height. kResized as torchvision's RandomResizedCrop: ten
// tries, then the largest centre crop within the ratios. InvalidArgument if kShift's window does
// not fit the padded image.
absl::StatusOr<View> DrawView(const Augmentation& augmentation, int width, int height,
                              Random& random);

}  // namespace data

#endif  // DATA_PIXELS_AUGMENTATION_H_
