#!/usr/bin/env python3
"""Changes to pixels are torchvision's of the same meaning, within a level; of warps nearly all pixels are the same."""

import math
import subprocess
import unittest

import torch

# What torchvision's compiled operators would define, and its modules ask for as they are imported.
operators = torch.library.Library("torchvision", "DEF")
operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision.transforms import functional  # pylint: disable=wrong-import-position

WIDTH, HEIGHT = 61, 48


def pictures():
  """Smooth colours, noise, and a picture of few levels: [3, HEIGHT, WIDTH] uint8."""
  generator = torch.Generator().manual_seed(1)
  x, y = torch.arange(WIDTH) / WIDTH, torch.arange(HEIGHT)[:, None] / HEIGHT
  smooth = torch.stack([200 * x + 0 * y, 40 + 150 * y * x, 128 + 100 * torch.sin(6 * x + 3 * y)])
  noise = torch.randint(0, 256, (3, HEIGHT, WIDTH), generator=generator)
  few = 60 + 20 * torch.randint(0, 5, (3, HEIGHT, WIDTH), generator=generator)
  return [picture.to(torch.uint8) for picture in (smooth, noise, few)]


def ours(op, number, picture):
  pixels = picture.permute(1, 2, 0).contiguous().numpy().tobytes()
  result = subprocess.run(["data/pixels/apply_image_op", op, str(number), str(WIDTH), str(HEIGHT)], input=pixels,
                          stdout=subprocess.PIPE, check=True).stdout
  return torch.frombuffer(bytearray(result), dtype=torch.uint8).reshape(HEIGHT, WIDTH, 3).permute(2, 0, 1)


def affine(**changes):
  arguments = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0], "center": [0, 0], **changes}
  return lambda picture, _: functional.affine(picture, **arguments)


class ImageOpsTest(unittest.TestCase):

  def compare(self, op, numbers, theirs, levels=1, share=1.0):
    """Values differ by at most `levels` in at least `share` of the places."""
    noise = pictures()[1]
    for number in numbers:
      if op != "autocontrast":
        self.assertFalse(torch.equal(ours(op, number, noise), noise), (op, number))  # It does something.
      for picture in pictures():
        expected, found = theirs(picture, number), ours(op, number, picture)
        close = ((expected.int() - found.int()).abs() <= levels).float().mean().item()
        self.assertGreaterEqual(close, share, (op, number))

  def test_blends(self):
    factors = (0.0, 0.1, 0.63, 1.4, 1.99)
    self.compare("brightness", factors, functional.adjust_brightness)
    self.compare("contrast", factors, functional.adjust_contrast)
    self.compare("saturation", factors, functional.adjust_saturation)
    self.compare("sharpness", factors, functional.adjust_sharpness)

  def test_hue(self):
    self.compare("hue", (-0.5, -0.2, 0.07, 0.31, 0.5), functional.adjust_hue, levels=2)

  def test_levels(self):
    self.compare("posterize", (2, 4, 6), functional.posterize, levels=0)
    self.compare("solarize", (0, 77, 140), functional.solarize, levels=0)
    self.compare("autocontrast", (0,), lambda picture, _: functional.autocontrast(picture))
    self.compare("equalize", (0,), lambda picture, _: functional.equalize(picture), levels=0)

  def test_warps(self):
    # Centres that fall on the border of two pixels may go either way.
    self.compare("rotate", (-135, -30, 4.5, 89.3, 113), functional.rotate, levels=0, share=0.97)
    for shear in (-0.99, -0.13, 0.3):
      degrees = math.degrees(math.atan(shear))
      self.compare("shear_x", (shear,), affine(shear=[degrees, 0.0]), levels=0, share=0.97)
      self.compare("shear_y", (shear,), affine(shear=[0.0, degrees]), levels=0, share=0.97)
    for pixels in (-7, 20):
      self.compare("shift_x", (pixels,), affine(translate=[pixels, 0]), levels=0)


if __name__ == "__main__":
  unittest.main()
