#include "base/picture.h"

#include <png.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

constexpr Picture::Color kRed = {255, 0, 0}, kWhite = {255, 255, 255};

TEST(PictureTest, WhatIsOutsideIsLeftOut) {
  Picture picture(4, 3);
  picture.Fill(2, -1, 9, 2, kRed);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 4; ++x) EXPECT_EQ(picture.At(x, y), x >= 2 && y == 0 ? kRed : kWhite);
  }
}

TEST(PictureTest, EveryLetterHasALookOfItsOwn) {
  const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789_ ";
  std::vector<std::string> looks;
  for (const char c : letters) {
    Picture picture(Picture::kLetterWidth, Picture::kLetterHeight);
    picture.Word(0, 0, std::string(1, c), kRed);
    std::string& look = looks.emplace_back();
    for (int y = 0; y < picture.height(); ++y) {
      for (int x = 0; x < picture.width(); ++x) look += picture.At(x, y) == kRed ? '#' : '.';
      EXPECT_EQ(look.back(), '.') << c << " touches the next letter";
    }
    for (size_t i = 0; i + 1 < looks.size(); ++i) EXPECT_NE(looks[i], look) << letters[i] << c;
  }
  EXPECT_EQ(looks.back().find('#'), std::string::npos);
}

TEST(PictureTest, ThePngHasThePixels) {
  Picture picture(50, 20);
  picture.Word(1, 2, "conv", kRed);
  const auto png = picture.Png();
  ASSERT_TRUE(png.ok()) << png.status();
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(png_image_begin_read_from_memory(&image, png->data(), png->size())) << image.message;
  image.format = PNG_FORMAT_RGB;
  ASSERT_EQ(PNG_IMAGE_SIZE(image), 3 * 50 * 20);
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image));
  ASSERT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr)) << image.message;
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 50; ++x) {
      const uint8_t* pixel = &pixels[3 * (50 * y + x)];
      EXPECT_EQ(picture.At(x, y), (Picture::Color{pixel[0], pixel[1], pixel[2]}));
    }
  }
}

}  // namespace
}  // namespace base
