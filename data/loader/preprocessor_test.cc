#include "data/loader/preprocessor.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "data/codec/image_decoder.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/codec/test_images.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/verified_samples.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/random.h"
#include "data/pixels/resizer.h"
#include "data/sources/test_datasets.h"
#include "gtest/gtest.h"

namespace data {
namespace {

constexpr uint64_t kSeed = 5;

MemoryDataset RawDataset(int width, int height, Bytes pixels) {
  EncodedSample sample;
  sample.encoding = Encoding::kRawRgb;
  sample.width = width;
  sample.height = height;
  return MemoryDataset({sample}, {std::move(pixels)});
}

std::vector<float> Preprocess(const Dataset& dataset, const Augmentation& augmentation,
                              int64_t epoch, VerifiedSamples& verified) {
  Preprocessor preprocessor(augmentation, PixelFormat::kFloat32Nchw, &verified);
  std::vector<float> image(3 * augmentation.size * augmentation.size);
  ScratchBuffer buffer;
  const absl::Status status =
      preprocessor.Run(dataset, dataset.Read(0, buffer), /*index=*/0, Random(kSeed, epoch, 0),
                       reinterpret_cast<uint8_t*>(image.data()));
  EXPECT_TRUE(status.ok()) << status;
  return image;
}

std::vector<float> Preprocess(const Dataset& dataset, const Augmentation& augmentation,
                              int64_t epoch) {
  VerifiedSamples verified(dataset.size());
  return Preprocess(dataset, augmentation, epoch, verified);
}

// Crop, flip, cutout and normalization, pixel by pixel.
TEST(PreprocessorTest, CifarTraining) {
  const Bytes picture = DrawPicture(32, 32, 1);
  const MemoryDataset dataset = RawDataset(32, 32, picture);
  Augmentation augmentation = CifarTrain();
  augmentation.cutout = 16;
  bool mirrored = false, straight = false;
  for (int epoch = 0; epoch < 50; ++epoch) {
    const std::vector<float> image = Preprocess(dataset, augmentation, epoch);
    Random random(kSeed, epoch, 0);
    const View view = *DrawView(augmentation, 32, 32, random);
    (view.mirror ? mirrored : straight) = true;
    const int left = view.source.x - view.target.x, top = view.source.y - view.target.y;
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x) {
        const int u = left + (view.mirror ? 31 - x : x), v = top + y;
        const bool inside = u >= 0 && u < 32 && v >= 0 && v < 32;
        const Rect& cut = view.erased;
        const bool erased =
            x >= cut.x && x < cut.x + cut.width && y >= cut.y && y < cut.y + cut.height;
        for (int c = 0; c < 3; ++c) {
          const Normalization& n = augmentation.normalization;
          const double level = inside ? picture[3 * (v * 32 + u) + c] : 0;
          const double expected = erased ? 0 : (level / 255 - n.mean[c]) / n.std[c];
          ASSERT_NEAR(image[(c * 32 + y) * 32 + x], expected, 2e-6) << epoch;
        }
      }
    }
  }
  EXPECT_TRUE(mirrored && straight);
}

// A picture whose red is the column and whose green is the row: so is every mean of its pixels.
TEST(PreprocessorTest, TheCentreCropOfARamp) {
  constexpr int kSides[][2] = {{256, 256}, {250, 120}, {64, 200}};
  for (const auto& [width, height] : kSides) {
    Bytes ramp(size_t{3} * width * height);
    for (int i = 0; i < width * height; ++i) {
      ramp[3 * i] = i % width;
      ramp[3 * i + 1] = i / width;
    }
    Augmentation augmentation = ImageNetEval();
    augmentation.normalization = Normalization();
    augmentation.size = 56;
    const std::vector<float> image = Preprocess(RawDataset(width, height, ramp), augmentation, 0);
    const int side = std::min(width, height) * 224 / 256;
    const double scale = side / 56.0;
    for (int y = 0; y < 56; ++y) {
      for (int x = 0; x < 56; ++x) {
        const double u = (width - side) / 2 + (x + 0.5) * scale - 0.5;
        const double v = (height - side) / 2 + (y + 0.5) * scale - 0.5;
        ASSERT_NEAR(255 * image[y * 56 + x], u, 1.0 / 16);
        ASSERT_NEAR(255 * image[(56 + y) * 56 + x], v, 1.0 / 16);
      }
    }
  }
}

// Partly decoded by restart segments, partly decoded from the original, and wholly decoded: the
// same bits.
TEST(PreprocessorTest, ACropDoesNotDependOnHowItWasDecoded) {
  constexpr int kWidth = 700, kHeight = 500;
  const Bytes jpeg = MakeJpeg(kWidth, kHeight, 1);
  const auto transcoded = TranscodeJpeg(jpeg);
  ASSERT_TRUE(transcoded.ok()) << transcoded.status();
  EncodedSample packed;
  packed.width = kWidth;
  packed.height = kHeight;
  packed.restarts = transcoded->restarts();
  packed.verified = true;
  const MemoryDataset original = JpegDataset({jpeg}), shard({packed}, {transcoded->bytes});
  EncodedSample whole;
  whole.bytes = jpeg;
  whole.width = kWidth;
  whole.height = kHeight;

  Augmentation augmentation = ImageNetTrain();
  augmentation.size = 64;  // so that crops are decoded at 1, 1/2, 1/4 and 1/8
  const PixelWriter writer(PixelFormat::kFloat32Nchw, augmentation.normalization, 64, 64);
  ImageDecoder decoder;
  Resizer resizer;
  VerifiedSamples verified(1);
  bool shrinks[4] = {};
  for (int epoch = 0; epoch < 60; ++epoch) {
    const std::vector<float> image = Preprocess(original, augmentation, epoch);
    EXPECT_EQ(Preprocess(shard, augmentation, epoch), image) << epoch;
    EXPECT_EQ(Preprocess(original, augmentation, epoch, verified), image) << epoch;
    Random random(kSeed, epoch, 0);
    const View view = *DrawView(augmentation, kWidth, kHeight, random);
    const int shrink = ImageDecoder::Log2Shrink(Encoding::kJpeg, view.source, augmentation.size);
    shrinks[shrink] = true;
    const auto region = decoder.Decode(whole, {0, 0, kWidth, kHeight}, shrink);
    ASSERT_TRUE(region.ok()) << region.status();
    const double factor = std::ldexp(1, -shrink);
    std::vector<float> expected(image.size());
    resizer.Resize(*region,
                   {view.source.x * factor, view.source.y * factor, view.source.width * factor,
                    view.source.height * factor},
                   view.mirror, writer, reinterpret_cast<uint8_t*>(expected.data()));
    EXPECT_EQ(image, expected) << epoch;
  }
  EXPECT_TRUE(shrinks[1] && shrinks[2]);
}

// The bottom of the file is damaged, where a crop of the top does not reach.
TEST(PreprocessorTest, AFileDamagedAfterItWasFoundSoundIsNoticed) {
  const Bytes sound = MakeJpeg(256, 256, 1);
  Bytes damaged = sound;
  damaged.resize(damaged.size() - 40);
  Augmentation augmentation = ImageNetTrain();
  augmentation.size = 16;
  VerifiedSamples verified(1);
  Preprocessor preprocessor(augmentation, PixelFormat::kUint8Nhwc, &verified);
  std::vector<uint8_t> image(preprocessor.image_size());
  const auto run = [&](const Bytes& jpeg, int64_t epoch) {
    const MemoryDataset dataset = JpegDataset({jpeg});
    ScratchBuffer buffer;
    return preprocessor.Run(dataset, dataset.Read(0, buffer), 0, Random(kSeed, epoch, 0),
                            image.data());
  };
  for (int epoch = 0; epoch < 20; ++epoch) {
    EXPECT_EQ(run(damaged, epoch).code(), absl::StatusCode::kDataLoss) << epoch;
    EXPECT_TRUE(run(sound, epoch).ok()) << epoch;
  }
}

TEST(VerifiedSamplesTest, KnowsBytesNotNames) {
  VerifiedSamples verified(2);
  EXPECT_FALSE(verified.Contains(0, 7));
  verified.Insert(0, 7);
  EXPECT_TRUE(verified.Contains(0, 7));
  EXPECT_FALSE(verified.Contains(0, 8));
  EXPECT_FALSE(verified.Contains(1, 7));
  EXPECT_FALSE(verified.Contains(1, 0));  // 0 stands for none.
}

TEST(PreprocessorTest, AnImageTooSmallForItsCropIsNamed) {
  VerifiedSamples verified(1);
  Preprocessor preprocessor(CifarEval(), PixelFormat::kUint8Nhwc, &verified);
  std::vector<uint8_t> image(preprocessor.image_size());
  const MemoryDataset dataset = JpegDataset({MakeJpeg(20, 40, 1)});
  ScratchBuffer buffer;
  const absl::Status status =
      preprocessor.Run(dataset, dataset.Read(0, buffer), 0, Random(1), image.data());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "sample 0 (image0): 20x40 pixels and padding 0 are less than the crop of 32");
}

}  // namespace
}  // namespace data
