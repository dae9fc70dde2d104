#include "data/codec/jpeg_decoder.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/codec/test_images.h"
#include "data/codec/test_regions.h"
#include "data/pixels/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::HasSubstr;

struct Kind {
  const char* name;
  JpegOptions options;
};

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds(8);
  kinds[0] = {"4:2:0", {}};
  kinds[1] = {"4:2:2", {.sampling_down = 1}};
  kinds[2] = {"4:4:4", {.sampling_across = 1, .sampling_down = 1}};
  kinds[3] = {"4:1:1", {.sampling_across = 4, .sampling_down = 1}};
  kinds[4] = {"4:4:0", {.sampling_across = 1}};
  kinds[5] = {"gray", {.components = 1, .sampling_across = 1, .sampling_down = 1}};
  kinds[6] = {"cmyk", {.components = 4, .sampling_across = 1, .sampling_down = 1}};
  kinds[7] = {"ycck", {.components = 4, .ycck = true}};
  return kinds;
}

// Random rectangles, decoded partly from the original (with and without a look at the rest) and
// from the transcoded JPEG by its restart segments, at every scale, against the whole decode at
// that scale.
TEST(JpegDecoderTest, PartialDecodingGivesThePixelsOfAWholeDecode) {
  JpegDecoder decoder;
  Random random(1);
  for (const Kind& kind : Kinds()) {
    for (const bool progressive : {false, true}) {
      for (const auto& [width, height] : {std::pair{257, 190}, {640, 91}, {40, 333}, {1, 77}}) {
        JpegOptions options = kind.options;
        options.progressive = progressive;
        const Bytes jpeg = MakeJpeg(width, height, 3, options);
        const auto transcoded = TranscodeJpeg(jpeg);
        ASSERT_TRUE(transcoded.ok()) << transcoded.status();
        EncodedSample whole = SampleOf(jpeg, width, height);
        EncodedSample trusted = whole;
        trusted.verified = true;
        EncodedSample segments = SampleOf(transcoded->bytes, width, height);
        segments.verified = true;
        segments.restarts = transcoded->restarts();
        for (int i = 0; i < 16; ++i) {
          const int shrink = i % 4;
          const Rect rect = RandomRect(width, height, random);
          const std::string what = absl::StrCat(
              kind.name, progressive ? " progressive " : " ", width, "x", height, ": ", rect.width,
              "x", rect.height, "+", rect.x, "+", rect.y, " / ", 1 << shrink);
          const Rect shrunk = ShrunkRect(rect, shrink);
          const auto all = decoder.Decode(whole, {0, 0, width, height}, shrink);
          ASSERT_TRUE(all.ok()) << all.status() << what;
          const Bytes expected = Cut(*all, shrunk);
          for (const EncodedSample* sample : {&whole, &trusted, &segments}) {
            const auto part = decoder.Decode(*sample, rect, shrink);
            ASSERT_TRUE(part.ok()) << part.status() << what;
            ASSERT_TRUE(Cut(*part, shrunk) == expected) << what << (sample == &segments);
          }
        }
      }
    }
  }
}

// Codes of all lengths, coefficients of all sizes, runs of zeros; and damage that libjpeg does not
// notice, which gives the same nonsense.
TEST(JpegDecoderTest, WhatIsTrustedIsDecodedAsLibjpegDoes) {
  JpegDecoder decoder;
  Random random(2);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 1500; ++i) {
    JpegOptions options;
    options.quality = 1 + random.Below(100);
    options.sampling_across = 1 + random.Below(2);
    Bytes jpeg = MakeJpeg(70, 50, i, options);
    if (i % 3 == 0) jpeg = TranscodeJpeg(jpeg)->bytes;
    for (int flips = i < 300 ? 0 : 1 + random.Below(3); flips > 0; --flips) {
      jpeg[jpeg.size() / 4 + random.Below(jpeg.size() * 3 / 4)] ^= 1 << random.Below(8);
    }
    EncodedSample sample = SampleOf(jpeg, 70, 50);
    const Rect all = {0, 0, 70, 50};
    const auto expected = decoder.Decode(sample, all);
    const Bytes pixels = expected.ok() ? Cut(*expected, all) : Bytes();
    sample.verified = true;
    const auto trusted = decoder.Decode(sample, all);
    if (expected.ok()) {
      ASSERT_TRUE(trusted.ok()) << i << trusted.status();
      ASSERT_TRUE(Cut(*trusted, all) == pixels) << i;
      ++accepted;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 300);
}

TEST(JpegDecoderTest, EveryTruncationIsAnError) {
  JpegDecoder decoder;
  for (const bool progressive : {false, true}) {
    JpegOptions options;
    options.progressive = progressive;
    const Bytes jpeg = MakeJpeg(70, 50, 5, options);
    for (size_t size = 0; size < jpeg.size(); ++size) {
      const Bytes cut(jpeg.begin(), jpeg.begin() + size);
      EXPECT_FALSE(decoder.Decode(SampleOf(cut, 70, 50), {0, 0, 70, 50}).ok()) << size;
      EXPECT_FALSE(decoder.Decode(SampleOf(cut, 70, 50), {8, 8, 2, 2}).ok()) << size;
    }
    EXPECT_TRUE(decoder.Decode(SampleOf(jpeg, 70, 50), {0, 0, 70, 50}).ok());
  }
}

// The position of a marker in the header of a JPEG.
Bytes::iterator Find(Bytes& jpeg, uint8_t marker) {
  const uint8_t bytes[] = {0xff, marker};
  return std::search(jpeg.begin(), jpeg.end(), bytes, bytes + 2);
}

TEST(JpegDecoderTest, AnImageDoesNotInheritTheTablesOfTheOneBefore) {
  Bytes jpeg = MakeJpeg(64, 64, 5);
  JpegDecoder decoder;
  ASSERT_TRUE(decoder.Decode(SampleOf(jpeg, 64, 64), {0, 0, 64, 64}).ok());
  const auto tables = Find(jpeg, 0xdb);
  jpeg.erase(tables, tables + 2 + (tables[2] << 8 | tables[3]));
  const absl::Status status = decoder.Decode(SampleOf(jpeg, 64, 64), {0, 0, 64, 64}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("Quantization table"));
  EXPECT_FALSE(TranscodeJpeg(jpeg).ok());
}

// `jpeg` with `bytes` before the last marker of this kind.
Bytes InsertBefore(Bytes jpeg, uint8_t marker, const Bytes& bytes) {
  const uint8_t pattern[] = {0xff, marker};
  const auto at = std::find_end(jpeg.begin(), jpeg.end(), pattern, pattern + 2);
  jpeg.insert(at, bytes.begin(), bytes.end());
  return jpeg;
}

Bytes WholeOf(const Bytes& jpeg) {
  JpegDecoder decoder;
  const auto region = decoder.Decode(SampleOf(jpeg, 70, 50), {0, 0, 70, 50});
  return region.ok() ? Cut(*region, {0, 0, 70, 50}) : Bytes();
}

// Pillow shows each of these without a difference.
TEST(JpegDecoderTest, OdditiesThatChangeNoPixelAreNoDamage) {
  Bytes junk(254);
  for (int i = 0; i < 254; ++i) junk[i] = 1 + i;
  const JpegOptions kinds[] = {{},
                               {.restart_rows = 1},
                               {.sampling_down = 1},
                               {.interleaved = false},
                               {.components = 1, .sampling_across = 1, .sampling_down = 1},
                               {.components = 4, .ycck = true}};
  for (const JpegOptions& kind : kinds) {
    Bytes jpeg = MakeJpeg(70, 50, 5, kind);
    const Bytes pixels = WholeOf(jpeg);
    ASSERT_FALSE(pixels.empty());
    for (const Bytes& bytes : {Bytes{0}, Bytes{0x55, 0, 0xff, 0}, Bytes(1000, 0), junk}) {
      EXPECT_TRUE(WholeOf(InsertBefore(jpeg, 0xd9, bytes)) == pixels);
      EXPECT_TRUE(TranscodeJpeg(InsertBefore(jpeg, 0xd9, bytes)).ok());
    }
    *(Find(jpeg, 0xda) + 2 + 2 + 1 + 2 * Find(jpeg, 0xda)[4]) = 5;  // where the spectrum starts
    if (kind.components != 4) jpeg[11] = 2;                         // of JFIF, in the first segment
    EXPECT_TRUE(WholeOf(jpeg) == pixels);
  }
}

// In a progressive image no one can tell them from what damage leaves over.
TEST(JpegDecoderTest, BytesBehindAProgressiveImageAreDamage) {
  const Bytes jpeg = MakeJpeg(70, 50, 5, {.progressive = true});
  ASSERT_FALSE(WholeOf(jpeg).empty());
  EXPECT_TRUE(WholeOf(InsertBefore(jpeg, 0xd9, Bytes(100, 0x55))).empty());
}

// A few bytes for each scan would buy a pass over the whole image.
TEST(JpegDecoderTest, ScansWithoutEndAreRefused) {
  const Bytes jpeg = MakeJpeg(70, 50, 5, {.interleaved = false});
  ASSERT_FALSE(WholeOf(jpeg).empty());
  const uint8_t scan_marker[] = {0xff, 0xda};
  const auto scan = std::find_end(jpeg.begin(), jpeg.end(), scan_marker, scan_marker + 2);
  const auto repeated = [&](int times) {
    Bytes bytes(jpeg.begin(), scan);
    for (int i = 0; i < times; ++i) bytes.insert(bytes.end(), scan, jpeg.end() - 2);
    bytes.insert(bytes.end(), jpeg.end() - 2, jpeg.end());
    return bytes;
  };
  EXPECT_TRUE(WholeOf(repeated(90)) == WholeOf(jpeg));
  JpegDecoder decoder;
  const Bytes endless = repeated(200);
  const absl::Status status = decoder.Decode(SampleOf(endless, 70, 50), {0, 0, 1, 1}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "a JPEG of more than 100 scans");
  EXPECT_EQ(TranscodeJpeg(endless).status().message(), "a JPEG of more than 100 scans");
}

TEST(JpegDecoderTest, AHugeImageIsRefusedByItsHeader) {
  Bytes jpeg = MakeJpeg(64, 64, 5);
  const auto frame = Find(jpeg, 0xc0);
  for (int i = 5; i < 9; i += 2) {
    frame[i] = 65500 >> 8;
    frame[i + 1] = 65500 & 255;
  }
  JpegDecoder decoder;
  const absl::Status status = decoder.Decode(SampleOf(jpeg, 65500, 65500), {0, 0, 8, 8}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("65500x65500"));
}

TEST(JpegDecoderTest, RestartOffsetsThatDoNotFitAreAnError) {
  JpegDecoder decoder;
  auto jpeg = TranscodeJpeg(MakeJpeg(200, 100, 1));
  ASSERT_TRUE(jpeg.ok());
  EncodedSample sample = SampleOf(jpeg->bytes, 200, 100);
  sample.verified = true;
  const auto decode = [&] {
    sample.restarts = jpeg->restarts();
    return decoder.Decode(sample, {0, 0, 200, 100}).ok();
  };
  EXPECT_TRUE(decode());
  for (const uint32_t wrong : {0u, 20u, static_cast<uint32_t>(jpeg->bytes.size() + 1), ~0u}) {
    for (uint32_t& offset : jpeg->restart_offsets) {
      const uint32_t right = std::exchange(offset, wrong);
      EXPECT_FALSE(decode()) << wrong;
      offset = right;
    }
  }
  jpeg->restart_columns = 3;
  EXPECT_FALSE(decode());
}

}  // namespace
}  // namespace data
