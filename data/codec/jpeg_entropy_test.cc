#include "data/codec/jpeg_entropy.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "data/codec/test_images.h"
#include "data/pixels/random.h"
#include "gtest/gtest.h"

namespace data {
namespace {

const JpegOptions kKinds[] = {{},
                              {.restart_rows = 1},
                              {.sampling_across = 1, .sampling_down = 1},
                              {.interleaved = false},
                              {.components = 1, .sampling_across = 1, .sampling_down = 1},
                              {.components = 4, .ycck = true}};

// The first byte behind a scan's header.
size_t EntropyData(const Bytes& jpeg) {
  const uint8_t marker[] = {0xff, 0xda};
  const auto at = std::search(jpeg.begin(), jpeg.end(), marker, marker + 2);
  return at - jpeg.begin() + 2 + at[3];
}

TEST(JpegEntropyTest, WhatAnEncoderWroteIsWhole) {
  for (const JpegOptions& kind : kKinds) {
    for (const int width : {1, 16, 70, 257}) {
      for (const int height : {1, 16, 50}) {
        EXPECT_TRUE(EntropyDataAreWhole(MakeJpeg(width, height, 3, kind)))
            << width << "x" << height;
      }
    }
  }
}

TEST(JpegEntropyTest, EveryTruncationIsFound) {
  for (const JpegOptions& kind : kKinds) {
    const Bytes jpeg = MakeJpeg(70, 50, 3, kind);
    for (size_t size = 0; size < jpeg.size(); ++size) {
      EXPECT_FALSE(EntropyDataAreWhole(Bytes(jpeg.begin(), jpeg.begin() + size))) << size;
    }
  }
}

// Bytes too many and too few: more than fit one block, so that blocks are too many or too few.
TEST(JpegEntropyTest, DamageIsFound) {
  constexpr size_t kBytes = 150;
  Bytes more(kBytes);
  Random random(/*seed=*/1);
  for (uint8_t& byte : more) byte = random.Below(255);
  int cases = 0, unseen = 0;
  for (const JpegOptions& kind : kKinds) {
    const Bytes jpeg = MakeJpeg(70, 50, 3, kind);
    for (size_t at = EntropyData(jpeg); at + kBytes + 2 < jpeg.size(); ++at) {
      Bytes longer = jpeg, shorter = jpeg;
      longer.insert(longer.begin() + at, more.begin(), more.end());
      shorter.erase(shorter.begin() + at, shorter.begin() + at + kBytes);
      unseen += EntropyDataAreWhole(longer) + EntropyDataAreWhole(shorter);
      cases += 2;
    }
  }
  EXPECT_GT(cases, 5000);
  EXPECT_LT(unseen, cases / 20);  // what looks like blocks by chance, for bytes behind bytes
}

TEST(JpegEntropyTest, OtherKindsAreNotJudged) {
  EXPECT_FALSE(EntropyDataAreWhole(MakeJpeg(70, 50, 3, {.progressive = true})));
  EXPECT_FALSE(EntropyDataAreWhole(MakePng(70, 50, 3)));
  EXPECT_FALSE(EntropyDataAreWhole({}));
}

}  // namespace
}  // namespace data
