// apply_image_op OP NUMBER WIDTH HEIGHT < pixels > pixels: one of image_ops.h's changes, for
// torchvision_test.py.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "data/io/scratch_buffer.h"
#include "data/pixels/image_ops.h"

int main(int argc, char** argv) {
  const std::string op = argv[1];
  const double number = std::atof(argv[2]);
  const int width = std::atoi(argv[3]), height = std::atoi(argv[4]);
  std::vector<char> bytes((std::istreambuf_iterator<char>(std::cin)), {});
  const data::RgbImage image = {reinterpret_cast<uint8_t*>(bytes.data()), width, height};
  data::ScratchBuffer scratch;
  if (op == "brightness") data::AdjustBrightness(number, image);
  if (op == "contrast") data::AdjustContrast(number, image);
  if (op == "saturation") data::AdjustSaturation(number, image);
  if (op == "sharpness") data::AdjustSharpness(number, image, scratch);
  if (op == "hue") data::AdjustHue(number, image);
  if (op == "posterize") data::Posterize(static_cast<int>(number), image);
  if (op == "solarize") data::Solarize(static_cast<int>(number), image);
  if (op == "autocontrast") data::AutoContrast(image);
  if (op == "equalize") data::Equalize(image);
  if (op == "rotate") data::Warp(data::Rotation(number, width, height), image, scratch);
  if (op == "shear_x") data::Warp({.xy = number}, image, scratch);
  if (op == "shear_y") data::Warp({.yx = number}, image, scratch);
  if (op == "shift_x") data::Warp({.x0 = -number}, image, scratch);
  std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return 0;
}
