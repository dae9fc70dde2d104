#include "data/shard/sample_packer.h"

#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "data/codec/exif.h"
#include "data/codec/image_decoder.h"
#include "data/codec/test_images.h"
#include "data/io/scratch_buffer.h"
#include "data/sources/test_datasets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::HasSubstr;

// All pixels of a sample, without the fourth byte.
Bytes Decode(EncodedSample sample) {
  EXPECT_TRUE(ImageDecoder::FindSize(sample).ok());
  ImageDecoder decoder;
  const auto region = decoder.Decode(sample);
  EXPECT_TRUE(region.ok()) << region.status();
  Bytes rgb;
  for (int y = 0; y < sample.height; ++y) {
    for (int i = 0; i < 4 * sample.width; ++i) {
      if (i % 4 != 3) rgb.push_back(region->pixels[y * region->stride + i]);
    }
  }
  return rgb;
}

Bytes Decode(const Bytes& image) {
  const MemoryDataset dataset = JpegDataset({image});
  ScratchBuffer buffer;
  return Decode(*dataset.Read(0, buffer));
}

PackedSample Pack(const Bytes& image, const SamplePackOptions& options = {}) {
  uint64_t content;
  auto packed = SamplePacker(options).Pack(JpegDataset({image}), 0, content);
  EXPECT_TRUE(packed.ok()) << packed.status();
  return *std::move(packed);
}

double MeanDifference(const Bytes& a, const Bytes& b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / a.size();
}

TEST(SamplePackerTest, EveryKindOfJpegKeepsItsPixelsAndGetsRestartMarkers) {
  const JpegOptions kinds[] = {
      {},
      {.sampling_across = 1, .sampling_down = 1},
      {.sampling_across = 4, .sampling_down = 1},
      {.progressive = true},
      {.components = 1, .sampling_across = 1, .sampling_down = 1},
      {.components = 1, .sampling_across = 1, .sampling_down = 1, .progressive = true},
      {.components = 4, .sampling_across = 1, .sampling_down = 1},
      {.components = 4, .ycck = true},
      {.restart_rows = 1},
      {.quality = 100},
      {.app1 = MakeExif(6, true)},
  };
  for (const JpegOptions& kind : kinds) {
    for (const auto& [width, height] : {std::pair{150, 99}, {1, 50}, {50, 1}, {1, 1}, {9000, 2}}) {
      const Bytes jpeg = MakeJpeg(width, height, 1, kind);
      const PackedSample packed = Pack(jpeg);
      EXPECT_EQ(packed.encoding, Encoding::kJpeg);
      EXPECT_EQ(packed.width, width);
      EXPECT_EQ(packed.height, height);
      EXPECT_GE(packed.data.restart_columns, 1);
      EXPECT_LE(packed.data.restart_columns, 255);  // what a shard has room for
      EXPECT_TRUE(Decode(packed.view()) == Decode(jpeg)) << width << "x" << height;
    }
  }
}

TEST(SamplePackerTest, APngUnderAJpegsNameStaysAPng) {
  const Bytes png = MakePng(30, 20, 1);
  const PackedSample packed = Pack(png);
  EXPECT_EQ(packed.encoding, Encoding::kPng);
  EXPECT_EQ(packed.data.bytes, png);
  EXPECT_EQ(Decode(packed.view()), DrawPicture(30, 20, 1));
}

TEST(SamplePackerTest, AJpegCanBeKeptByteForByte) {
  const Bytes jpeg = MakeJpeg(100, 80, 1);
  const PackedSample packed = Pack(jpeg, {.keep_jpeg = true});
  EXPECT_EQ(packed.data.bytes, jpeg);
  EXPECT_EQ(packed.data.restart_columns, 0);
}

// That it is ignored otherwise is among the kinds above.
TEST(SamplePackerTest, TheOrientationIsAppliedIfAsked) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Bytes jpeg = MakeJpeg(64, 40, 1, {.quality = 95, .app1 = MakeExif(orientation, false)});
    const PackedSample packed = Pack(jpeg, {.quality = 95, .apply_orientation = true});
    int width = 64, height = 40;
    Bytes turned = Decode(jpeg);
    TurnUpright(orientation, width, height, turned);
    EXPECT_EQ(packed.width, width);
    EXPECT_EQ(packed.height, height);
    EXPECT_LT(MeanDifference(Decode(packed.view()), turned), orientation == 1 ? 1e-9 : 6);
  }
}

TEST(SamplePackerTest, OnlyImagesLargerThanMaxSideAreShrunk) {
  const Bytes jpeg = MakeJpeg(200, 100, 1);
  const PackedSample shrunk = Pack(jpeg, {.max_side = 50});
  EXPECT_EQ(shrunk.width, 50);
  EXPECT_EQ(shrunk.height, 25);
  EXPECT_GE(shrunk.data.restart_columns, 1);
  // By 4 in both directions: the means of 16 pixels.
  const Bytes whole = Decode(jpeg),
              packed = Decode(Pack(jpeg, {.max_side = 50, .raw_fraction = 1}).view());
  for (int y = 0; y < 25; ++y) {
    for (int x = 0; x < 50; ++x) {
      for (int c = 0; c < 3; ++c) {
        double sum = 0;
        for (int i = 0; i < 16; ++i) sum += whole[3 * ((4 * y + i / 4) * 200 + 4 * x + i % 4) + c];
        ASSERT_NEAR(packed[3 * (y * 50 + x) + c], sum / 16, 0.5 + 1.0 / 16);
      }
    }
  }
  EXPECT_LT(MeanDifference(Decode(shrunk.view()), packed), 8);
  EXPECT_TRUE(Decode(Pack(jpeg, {.max_side = 200}).view()) == whole);
  EXPECT_EQ(Pack(MakeJpeg(4000, 2, 1), {.max_side = 500}).height, 1);
}

TEST(SamplePackerTest, QualityTradesBytesForTruth) {
  const Bytes jpeg = MakeJpeg(200, 100, 1);
  const Bytes truth = Decode(Pack(jpeg, {.max_side = 100, .raw_fraction = 1}).view());
  size_t last_size = 0;
  double last_error = 1e9;
  for (const int quality : {20, 60, 95}) {
    const PackedSample packed = Pack(jpeg, {.max_side = 100, .quality = quality});
    const double error = MeanDifference(Decode(packed.view()), truth);
    EXPECT_GT(packed.data.bytes.size(), last_size);
    EXPECT_LT(error, last_error);
    last_size = packed.data.bytes.size();
    last_error = error;
  }
}

TEST(SamplePackerTest, ARawFractionKeepsItsPixelsRaw) {
  constexpr int kImages = 1000;
  const Bytes jpeg = MakeJpeg(16, 8, 1), rgb = Decode(jpeg);
  const MemoryDataset dataset = JpegDataset(std::vector<Bytes>(kImages, jpeg));
  SamplePacker packer({.raw_fraction = 0.3}), again({.raw_fraction = 0.3});
  uint64_t content;
  int raw = 0;
  for (int i = 0; i < kImages; ++i) {
    const auto packed = packer.Pack(dataset, i, content);
    ASSERT_TRUE(packed.ok()) << packed.status();
    EXPECT_TRUE(Decode(packed->view()) == rgb);
    EXPECT_EQ(packed->encoding, again.Pack(dataset, i, content)->encoding);
    raw += packed->encoding == Encoding::kRawRgb;
  }
  EXPECT_NEAR(raw, 300, 5 * std::sqrt(kImages * 0.3 * 0.7));
}

TEST(SamplePackerTest, WhatAShardHasNoRoomForIsNamed) {
  uint64_t content;
  const absl::Status status =
      SamplePacker({}).Pack(JpegDataset({MakePng(65536, 1, 1)}), 0, content).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("(image0): is 65536x1 pixels"));
  EXPECT_EQ(Pack(MakePng(65536, 1, 1), {.max_side = 1000}).width, 1000);
}

TEST(SamplePackerTest, ADamagedImageIsNamed) {
  Bytes jpeg = MakeJpeg(100, 80, 1);
  jpeg.resize(jpeg.size() / 2);
  for (const SamplePackOptions& options :
       {SamplePackOptions(), {.max_side = 10}, {.raw_fraction = 1}, {.keep_jpeg = true}}) {
    uint64_t content = 0;
    const absl::Status status =
        SamplePacker(options).Pack(JpegDataset({jpeg}), 0, content).status();
    EXPECT_NE(content, 0);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("sample 0 (image0)"));
  }
}

}  // namespace
}  // namespace data
