// Changes to a photograph's pixels, as training recipes make them. Each is torchvision's function
// of the same meaning on uint8 tensors, within one of 255 levels (//data/pixels:torchvision_test);
// in whole numbers, so that every processor gives the same bytes.
#ifndef DATA_PIXELS_IMAGE_OPS_H_
#define DATA_PIXELS_IMAGE_OPS_H_

#include <cstddef>
#include <cstdint>

#include "data/io/scratch_buffer.h"

namespace data {

// Three bytes a pixel, red, green and blue, row by row, without gaps.
struct RgbImage {
  uint8_t* pixels;
  int width;
  int height;

  size_t size() const { return size_t{3} * width * height; }
};

// These blend: factor · image + (1 − factor) · other, cut to 0..255. The other image is black; all
// of the mean gray; the gray of each pixel; each pixel's neighbourhood of 3 x 3, itself counting
// five times, but for the border. A factor is 0 to 64; 1 changes nothing.
void AdjustBrightness(double factor, RgbImage image);
void AdjustContrast(double factor, RgbImage image);
void AdjustSaturation(double factor, RgbImage image);
void AdjustSharpness(double factor, RgbImage image, ScratchBuffer& scratch);

// Turns the hue by `turns`, from −1/2 to 1/2.
void AdjustHue(double turns, RgbImage image);

// Keeps so many leading bits of a value, from 1 to 8.
void Posterize(int bits, RgbImage image);

// Inverts values of `threshold` and more.
void Solarize(int threshold, RgbImage image);

// Per channel: stretches its values to 0..255; makes all levels about equally frequent.
void AutoContrast(RgbImage image);
void Equalize(RgbImage image);

// Where a point of the output lies in the input: (xx · x + xy · y + x0, yx · x + yy · y + y0), in
// pixels from the upper left corner, pixel centres at halves.
struct AffineMap {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
};

// Counterclockwise about the centre.
AffineMap Rotation(double degrees, int width, int height);

// Each pixel becomes the input's that its centre lies in, black outside.
void Warp(const AffineMap& map, RgbImage image, ScratchBuffer& scratch);

}  // namespace data

#endif  // DATA_PIXELS_IMAGE_OPS_H_
