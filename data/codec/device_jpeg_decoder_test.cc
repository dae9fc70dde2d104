#include "data/codec/device_jpeg_decoder.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/codec/fake_jpeg_device.h"
#include "data/codec/image_decoder.h"
#include "data/codec/jpeg_decoder.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/codec/shrink_pixels.h"
#include "data/codec/test_images.h"
#include "data/codec/test_regions.h"
#include "data/pixels/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::HasSubstr;

bool Same(const Rect& a, const Rect& b) {
  return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height;
}

// The means of squares of an image, pixel by pixel.
Bytes Expected(const PixelRegion& whole, const Rect& target, int shrink) {
  Bytes pixels;
  for (int y = target.y; y < target.y + target.height; ++y) {
    for (int x = target.x; x < target.x + target.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0, count = 0;
        for (int v = y << shrink; v < std::min((y + 1) << shrink, whole.rect.height); ++v) {
          for (int u = x << shrink; u < std::min((x + 1) << shrink, whole.rect.width); ++u) {
            sum += whole.pixels[v * whole.stride + 4 * u + c];
            ++count;
          }
        }
        pixels.push_back((2 * sum + count) / (2 * count));
      }
      pixels.push_back(0);
    }
  }
  return pixels;
}

// Random rectangles, of the original and of the transcoded JPEG by its restart segments, on a
// device that decodes parts and on one that does not: pixels of the whole image.
TEST(DeviceJpegDecoderTest, ACropHasThePixelsOfTheWholeImage) {
  Random random(1);
  const std::pair<int, int> samplings[] = {{2, 2}, {2, 1}, {1, 2}, {1, 1}};
  for (const auto& [across, down] : samplings) {
    for (const auto& [width, height] : {std::pair{257, 190}, {640, 91}, {40, 333}, {1, 77}}) {
      const Bytes jpeg =
          MakeJpeg(width, height, 3, {.sampling_across = across, .sampling_down = down});
      const auto transcoded = TranscodeJpeg(jpeg);
      ASSERT_TRUE(transcoded.ok()) << transcoded.status();
      const EncodedSample original = SampleOf(jpeg, width, height, /*verified=*/true);
      EncodedSample segments = SampleOf(transcoded->bytes, width, height, /*verified=*/true);
      segments.restarts = transcoded->restarts();
      JpegDecoder reference;
      const auto whole = reference.Decode(original, {0, 0, width, height});
      ASSERT_TRUE(whole.ok()) << whole.status();
      for (const bool parts : {true, false}) {
        const auto device = std::make_shared<FakeJpegDevice>();
        device->decodes_parts = parts;
        DeviceJpegDecoder decoder(device);
        for (int i = 0; i < 24; ++i) {
          const int shrink = i % 4;
          const Rect rect = RandomRect(width, height, random);
          for (const EncodedSample& sample : {original, segments}) {
            ASSERT_TRUE(decoder.MayTake(sample));
            const auto region = decoder.Decode(sample, rect, shrink);
            ASSERT_TRUE(region.ok() && region->has_value()) << region.status();
            const PixelRegion& found = **region;
            const std::string what =
                absl::StrCat(width, "x", height, ": ", rect.width, "x", rect.height, "+", rect.x,
                             "+", rect.y, " / ", 1 << shrink, parts ? ", parts" : "");
            ASSERT_TRUE(Same(found.rect, ShrunkRect(rect, shrink))) << what;
            ASSERT_EQ(found.stride, 4 * found.rect.width) << what;
            const Bytes pixels(found.pixels, found.pixels + found.stride * found.rect.height);
            ASSERT_TRUE(pixels == Expected(*whole, found.rect, shrink)) << what;
          }
        }
        EXPECT_EQ(device->decoded, 48);
        EXPECT_EQ(device->left, 0);
      }
    }
  }
}

// Means of squares beside libjpeg's smaller inverse DCTs, of an image half of which is noise.
TEST(DeviceJpegDecoderTest, ShrunkImagesAreCloseToLibjpegs) {
  JpegDecoder reference;
  DeviceJpegDecoder decoder(std::make_shared<FakeJpegDevice>());
  for (const int sampling : {1, 2}) {
    const Bytes jpeg =
        MakeJpeg(500, 375, 1, {.sampling_across = sampling, .sampling_down = sampling});
    const EncodedSample sample = SampleOf(jpeg, 500, 375, /*verified=*/true);
    for (int shrink = 1; shrink <= 3; ++shrink) {
      const auto expected = reference.Decode(sample, {0, 0, 500, 375}, shrink);
      const auto found = decoder.Decode(sample, {0, 0, 500, 375}, shrink);
      ASSERT_TRUE(expected.ok() && found.ok() && found->has_value());
      const PixelRegion &a = *expected, &b = **found;
      ASSERT_TRUE(Same(a.rect, b.rect));
      double sum = 0;
      for (int y = 0; y < a.rect.height; ++y) {
        for (int i = 0; i < 4 * a.rect.width; ++i) {
          if (i % 4 != 3) sum += std::abs(a.pixels[y * a.stride + i] - b.pixels[y * b.stride + i]);
        }
      }
      // Chroma of half the resolution libjpeg does not interpolate where it shrinks.
      EXPECT_LE(sum / (3.0 * a.rect.width * a.rect.height), sampling == 1 ? 0.5 : 2.5) << shrink;
    }
  }
}

TEST(DeviceJpegDecoderTest, DecodesNoMoreThanACropNeeds) {
  const Bytes jpeg = MakeJpeg(640, 480, 1);
  const auto transcoded = TranscodeJpeg(jpeg);
  ASSERT_TRUE(transcoded.ok()) << transcoded.status();
  EncodedSample segments = SampleOf(transcoded->bytes, 640, 480, /*verified=*/true);
  segments.restarts = transcoded->restarts();
  const auto device = std::make_shared<FakeJpegDevice>();
  DeviceJpegDecoder decoder(device);
  const auto pixels_of = [&](const EncodedSample& sample) {
    const int64_t before = device->pixels;
    EXPECT_TRUE(decoder.Decode(sample, {320, 240, 64, 64}, 0).ok());
    return device->pixels - before;
  };
  constexpr int64_t kBlocks = 96 * 96;  // 64 pixels, 8 on each side, in whole MCUs of 16
  EXPECT_EQ(pixels_of(SampleOf(jpeg, 640, 480, /*verified=*/true)), kBlocks);
  EXPECT_EQ(pixels_of(segments), kBlocks);
  device->decodes_parts = false;
  EXPECT_EQ(pixels_of(SampleOf(jpeg, 640, 480, /*verified=*/true)), 640 * 480);
  EXPECT_LE(pixels_of(segments), 192 * 96);
}

TEST(DeviceJpegDecoderTest, MemoryIsUsedAgainAndFreed) {
  const auto device = std::make_shared<FakeJpegDevice>();
  {
    DeviceJpegDecoder decoder(device);
    const std::vector<Bytes> jpegs = {MakeJpeg(100, 80, 1), MakeJpeg(300, 200, 2),
                                      MakeJpeg(90, 310, 3)};
    const auto run = [&] {
      const int64_t before = device->allocations;
      for (int shrink = 0; shrink < 4; ++shrink) {
        EXPECT_TRUE(
            decoder.Decode(SampleOf(jpegs[0], 100, 80, /*verified=*/true), {0, 0, 100, 80}, shrink)
                .ok());
        EXPECT_TRUE(
            decoder.Decode(SampleOf(jpegs[1], 300, 200, /*verified=*/true), {5, 5, 200, 99}, shrink)
                .ok());
        EXPECT_TRUE(
            decoder.Decode(SampleOf(jpegs[2], 90, 310, /*verified=*/true), {0, 0, 90, 310}, shrink)
                .ok());
      }
      return device->allocations - before;
    };
    EXPECT_GT(run(), 0);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(device->allocated, 3);
  }
  EXPECT_EQ(device->allocated, 0);
}

// What ImageDecoder makes of a device.
class ImageDecoderWithDeviceTest : public testing::Test {
 protected:
  // Expects the processor's result, for better or worse, of the whole image.
  void ExpectLikeProcessor(const EncodedSample& sample) {
    const Rect all = {0, 0, sample.width, sample.height};
    const auto expected = processor_.Decode(sample, all);
    const auto found = decoder_.Decode(sample, all);
    ASSERT_EQ(found.status(), expected.status());
    if (!found.ok()) return;
    ASSERT_TRUE(Same(found->rect, expected->rect));
    for (int y = 0; y < sample.height; ++y) {
      for (int x = 0; x < sample.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          ASSERT_EQ(found->pixels[y * found->stride + 4 * x + c],
                    expected->pixels[y * expected->stride + 4 * x + c]);
        }
      }
    }
  }

  const std::shared_ptr<FakeJpegDevice> device_ = std::make_shared<FakeJpegDevice>();
  ImageDecoder processor_;
  ImageDecoder decoder_{device_};
};

TEST_F(ImageDecoderWithDeviceTest, WhatTheDeviceDoesNotTakeIsLeftToTheProcessor) {
  const std::vector<JpegOptions> others = {
      {.progressive = true},
      {.components = 4, .sampling_across = 1, .sampling_down = 1},
      {.components = 4, .ycck = true},
      {.sampling_across = 4, .sampling_down = 1},
      {.interleaved = false}};
  for (const JpegOptions& options : others) {
    ExpectLikeProcessor(SampleOf(MakeJpeg(70, 50, 1, options), 70, 50, /*verified=*/false));
  }
  EXPECT_EQ(device_->left, std::ssize(others));

  const Bytes png = MakePng(70, 50, 1);
  EncodedSample sample = SampleOf(png, 70, 50, /*verified=*/true);
  sample.encoding = Encoding::kPng;
  ExpectLikeProcessor(sample);
  EXPECT_EQ(device_->left, std::ssize(others));
  EXPECT_EQ(device_->decoded, 0);

  const Bytes plain = MakeJpeg(70, 50, 1);
  ExpectLikeProcessor(SampleOf(plain, 70, 50, /*verified=*/true));
  EXPECT_EQ(device_->decoded, 1);
}

TEST_F(ImageDecoderWithDeviceTest, WhatTheDeviceFindsOddIsLeftToTheProcessor) {
  const Bytes jpeg = MakeJpeg(70, 50, 1);
  const absl::Status odd = absl::UnimplementedError("odd");
  for (absl::Status* status : {&device_->parse, &device_->decode, &device_->fetch}) {
    *status = odd;
    for (const bool verified : {true, false}) {
      ExpectLikeProcessor(SampleOf(jpeg, 70, 50, verified));
    }
    *status = absl::OkStatus();
  }
  EXPECT_EQ(device_->left, 6);
  EXPECT_EQ(device_->decoded, 0);
}

// No sample may be left out because a device fails.
TEST_F(ImageDecoderWithDeviceTest, ADeviceThatFailsIsNoDamage) {
  const Bytes jpeg = MakeJpeg(70, 50, 1);
  const absl::Status lost = absl::UnavailableError("the device is lost");
  for (absl::Status* status :
       {&device_->new_lane, &device_->parse, &device_->decode, &device_->fetch}) {
    *status = lost;
    EXPECT_EQ(decoder_.Decode(SampleOf(jpeg, 70, 50, /*verified=*/true)).status(), lost);
    *status = absl::OkStatus();
    if (status == &device_->new_lane)
      ExpectLikeProcessor(SampleOf(jpeg, 70, 50, /*verified=*/true));
  }
}

TEST_F(ImageDecoderWithDeviceTest, DamageIsWhatTheProcessorSays) {
  const Bytes jpeg = MakeJpeg(70, 50, 1);
  for (size_t size = 0; size < jpeg.size(); size += 7) {
    const Bytes cut(jpeg.begin(), jpeg.begin() + size);
    const EncodedSample sample = SampleOf(cut, 70, 50, /*verified=*/false);
    EXPECT_EQ(decoder_.Decode(sample).status().code(), absl::StatusCode::kDataLoss);
    // Nor is what a crop does not need passed over.
    EXPECT_EQ(decoder_.Decode(sample, {0, 0, 8, 8}).status().code(), absl::StatusCode::kDataLoss);
  }
  Random random(2);
  for (int i = 0; i < 300; ++i) {
    Bytes changed = jpeg;
    changed[random.Below(changed.size())] ^= 1 << random.Below(8);
    ExpectLikeProcessor(SampleOf(changed, 70, 50, /*verified=*/false));
  }
  const absl::Status status = decoder_.Decode(SampleOf(jpeg, 71, 50, false)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("is 70x50 pixels, not 71x50"));
}

}  // namespace
}  // namespace data
