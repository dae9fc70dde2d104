#include "data/codec/plain_jpeg.h"

#include <algorithm>
#include <string>

#include "data/codec/test_images.h"
#include "gtest/gtest.h"

namespace data {
namespace {

bool IsPlain(const JpegOptions& options) { return IsPlainJpeg(MakeJpeg(40, 30, 1, options)); }

TEST(PlainJpegTest, WhatLibrariesWriteByDefault) {
  for (const int across : {1, 2}) {
    for (const int down : {1, 2}) {
      EXPECT_TRUE(IsPlain({.sampling_across = across, .sampling_down = down}));
    }
  }
  EXPECT_TRUE(IsPlain({.components = 1, .sampling_across = 1, .sampling_down = 1}));
  EXPECT_TRUE(IsPlain({.restart_rows = 1}));
  EXPECT_TRUE(IsPlain({.app1 = MakeExif(6, true)}));
}

TEST(PlainJpegTest, WhatSomeDecodersDoNotTakeOrTakeDifferently) {
  EXPECT_FALSE(IsPlain({.progressive = true}));
  EXPECT_FALSE(IsPlain({.interleaved = false}));
  EXPECT_FALSE(IsPlain({.components = 4, .sampling_across = 1, .sampling_down = 1}));
  EXPECT_FALSE(IsPlain({.components = 4, .ycck = true}));
  EXPECT_FALSE(IsPlain({.sampling_across = 4, .sampling_down = 1}));
}

// A plain JPEG with a segment put in behind SOI.
Bytes With(const std::string& segment) {
  Bytes jpeg = MakeJpeg(40, 30, 1);
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  return jpeg;
}

TEST(PlainJpegTest, RgbIsKnownAsByLibjpeg) {
  const std::string adobe(
      "\xff\xee\x00\x0e"
      "Adobe\x00\x64\x00\x00\x00\x00",
      15);
  EXPECT_FALSE(IsPlainJpeg(With(adobe + '\0')));
  EXPECT_TRUE(IsPlainJpeg(With(adobe + '\1')));

  Bytes named = MakeJpeg(40, 30, 1);
  const uint8_t frame[] = {0xff, 0xc0};
  const auto at = std::search(named.begin(), named.end(), frame, frame + 2);
  ASSERT_NE(at, named.end());
  at[10] = 'R', at[13] = 'G', at[16] = 'B';
  EXPECT_FALSE(IsPlainJpeg(named));
}

TEST(PlainJpegTest, EveryTruncationOfTheHeadersIsNot) {
  const Bytes jpeg = MakeJpeg(40, 30, 1);
  const uint8_t scan[] = {0xff, 0xda};
  const auto end = std::search(jpeg.begin(), jpeg.end(), scan, scan + 2);
  for (auto cut = jpeg.begin(); cut != end + 14; ++cut) {
    EXPECT_FALSE(IsPlainJpeg(Bytes(jpeg.begin(), cut)));
  }
  EXPECT_TRUE(IsPlainJpeg(Bytes(jpeg.begin(), end + 14)));
}

}  // namespace
}  // namespace data
