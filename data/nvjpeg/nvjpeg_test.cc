// On a GPU: nvJPEG's pixels beside libjpeg's, and what is the same with both.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cuda_runtime_api.h"
#include "data/codec/device_jpeg_decoder.h"
#include "data/codec/image_decoder.h"
#include "data/codec/jpeg_device.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/codec/shrink_pixels.h"
#include "data/codec/test_images.h"
#include "data/codec/test_regions.h"
#include "data/io/encoded_sample.h"
#include "data/nvjpeg/nvjpeg_device.h"
#include "data/pixels/pixel_region.h"
#include "data/pixels/random.h"
#include "gtest/gtest.h"

namespace data {
namespace {

constexpr int kWidth = 500, kHeight = 375;

// Mean difference of a pixel's values, in levels.
constexpr double kMostDifference = 2;

struct Photo {
  std::string name;
  Bytes bytes;
  RestartJpeg packed;

  EncodedSample Original() const { return SampleOf(bytes, kWidth, kHeight, /*verified=*/true); }
  EncodedSample Packed() const {
    EncodedSample sample = SampleOf(packed.bytes, kWidth, kHeight, /*verified=*/true);
    sample.restarts = packed.restarts();
    return sample;
  }
};

std::vector<Photo> Photos() {
  std::vector<std::pair<std::string, JpegOptions>> kinds = {
      {"gray", {.components = 1, .sampling_across = 1, .sampling_down = 1}}};
  for (const int across : {1, 2}) {
    for (const int down : {1, 2}) {
      kinds.push_back({absl::StrCat("luma ", across, "x", down),
                       {.sampling_across = across, .sampling_down = down}});
    }
  }
  std::vector<Photo> photos;
  for (const auto& [name, options] : kinds) {
    Photo photo = {name, MakeJpeg(kWidth, kHeight, photos.size(), options), {}};
    photo.packed = *TranscodeJpeg(photo.bytes);
    photos.push_back(std::move(photo));
  }
  return photos;
}

// `target` of `source`, in pixels of 2^shrink, by the processor.
Bytes Shrunk(const Bytes& rgb, const Rect& source, const Rect& target, int shrink) {
  const ShrinkJob job = {rgb.data(), source, target, shrink, kWidth, kHeight};
  Bytes rgbx(size_t{4} * target.width * target.height), pixels;
  for (int y = 0; y < target.height; ++y) {
    for (int x = 0; x < target.width; ++x) ShrinkPixel(job, x, y, rgbx.data());
  }
  for (size_t i = 0; i < rgbx.size(); ++i) {
    if (i % 4 != 3) pixels.push_back(rgbx[i]);
  }
  return pixels;
}

class NvjpegTest : public testing::TestWithParam<NvjpegBackend> {
 protected:
  void SetUp() override {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
      GTEST_SKIP() << "no CUDA device";
    }
    auto device = CreateNvjpegDevice({GetParam()});
    if (absl::IsNotFound(device.status())) return;
    ASSERT_TRUE(device.ok()) << device.status();
    device_ = *std::move(device);
  }

  // GPUs without JPEG engines pass, and say so.
  bool HasBackend() const {
    if (device_ == nullptr) printf("this GPU has no such backend\n");
    return device_ != nullptr;
  }

  std::shared_ptr<JpegDevice> device_;
};

TEST_P(NvjpegTest, IsCloseToLibjpeg) {
  if (!HasBackend()) return;
  ImageDecoder processor, decoder(device_);
  const Rect all = {0, 0, kWidth, kHeight};
  for (const Photo& photo : Photos()) {
    const auto whole = processor.Decode(photo.Original(), all);
    ASSERT_TRUE(whole.ok()) << whole.status();
    const Bytes rgb = Cut(*whole, all);
    const int64_t before = device_->decoded;
    for (int shrink = 0; shrink <= 3; ++shrink) {
      const auto found = decoder.Decode(photo.Original(), all, shrink);
      ASSERT_TRUE(found.ok()) << found.status();
      const Bytes a = Cut(*found, found->rect), b = Shrunk(rgb, all, found->rect, shrink);
      double sum = 0;
      for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
      printf("%s / %d: %.3f levels\n", photo.name.c_str(), 1 << shrink, sum / a.size());
      EXPECT_LE(sum / a.size(), kMostDifference);
    }
    printf("%s: %d of 4 by nvJPEG\n", photo.name.c_str(),
           static_cast<int>(device_->decoded - before));
  }
  EXPECT_GT(device_->decoded, 0);
}

TEST_P(NvjpegTest, ACropHasThePixelsOfTheWholeImage) {
  if (!HasBackend()) return;
  Random random(1);
  for (const Photo& photo : Photos()) {
    ImageDecoder decoder(device_);
    for (int shrink = 0; shrink <= 3; ++shrink) {
      ImageDecoder whole_decoder(device_);
      const auto whole = whole_decoder.Decode(photo.Original(), {0, 0, kWidth, kHeight}, shrink);
      ASSERT_TRUE(whole.ok()) << whole.status();
      for (int i = 0; i < 10; ++i) {
        const Rect rect = RandomRect(kWidth, kHeight, random);
        for (const EncodedSample& sample : {photo.Original(), photo.Packed()}) {
          const auto part = decoder.Decode(sample, rect, shrink);
          ASSERT_TRUE(part.ok()) << part.status();
          EXPECT_TRUE(Cut(*part, part->rect) == Cut(*whole, part->rect))
              << photo.name << ": " << rect.width << "x" << rect.height << "+" << rect.x << "+"
              << rect.y << " / " << (1 << shrink)
              << (sample.restarts.rows > 0 ? ", by restart segments" : "");
        }
      }
    }
  }
}

TEST_P(NvjpegTest, WhatItDoesNotTakeAndWhatIsDamagedIsAsWithoutIt) {
  if (!HasBackend()) return;
  ImageDecoder processor, decoder(device_);
  const std::vector<JpegOptions> others = {
      {.progressive = true},
      {.components = 4, .sampling_across = 1, .sampling_down = 1},
      {.sampling_across = 4, .sampling_down = 1}};
  for (const JpegOptions& options : others) {
    const Bytes jpeg = MakeJpeg(70, 50, 1, options);
    EncodedSample sample;
    sample.bytes = jpeg;
    sample.width = 70;
    sample.height = 50;
    const auto expected = processor.Decode(sample), found = decoder.Decode(sample);
    ASSERT_TRUE(expected.ok() && found.ok()) << found.status();
    EXPECT_TRUE(Cut(*found, found->rect) == Cut(*expected, found->rect));
  }
  EXPECT_EQ(device_->decoded, 0);

  const Photo photo = Photos().back();
  EncodedSample sample = photo.Original();
  sample.verified = false;
  for (size_t size = 100; size < photo.bytes.size(); size += photo.bytes.size() / 20) {
    sample.bytes = {photo.bytes.data(), size};
    EXPECT_EQ(decoder.Decode(sample).status(), processor.Decode(sample).status());
  }
  // And goes on after it.
  EXPECT_TRUE(decoder.Decode(photo.Original()).ok());
}

// A damaged JPEG that a checksum wrongly vouches for may have any pixels, but stops nothing.
TEST_P(NvjpegTest, DamageThatItMeetsIsNoErrorOfTheGpu) {
  if (!HasBackend()) return;
  const Photo photo = Photos().back();
  DeviceJpegDecoder decoder(device_);
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    Bytes changed = photo.bytes;
    for (int j = 0; j < 1 + i % 20; ++j) changed[random.Below(changed.size())] = random.Below(256);
    if (i % 4 == 0) changed.resize(random.Below(changed.size()));
    EncodedSample sample = photo.Original();
    sample.bytes = changed;
    if (!decoder.MayTake(sample)) continue;
    const auto region = decoder.Decode(sample, RandomRect(kWidth, kHeight, random), i % 4);
    EXPECT_TRUE(region.ok()) << region.status();
  }
  const auto region = decoder.Decode(photo.Original(), {0, 0, kWidth, kHeight}, 0);
  EXPECT_TRUE(region.ok()) << region.status();
}

TEST_P(NvjpegTest, ThreadsDoNotDisturbEachOther) {
  if (!HasBackend()) return;
  const std::vector<Photo> photos = Photos();
  const auto decode_all = [&] {
    std::vector<Bytes> results;
    ImageDecoder decoder(device_);
    Random random(5);
    for (int i = 0; i < 100; ++i) {
      const Photo& photo = photos[i % photos.size()];
      const auto region = decoder.Decode(i % 2 ? photo.Packed() : photo.Original(),
                                         RandomRect(kWidth, kHeight, random), i % 4);
      EXPECT_TRUE(region.ok()) << region.status();
      if (region.ok()) results.push_back(Cut(*region, region->rect));
    }
    return results;
  };
  const std::vector<Bytes> expected = decode_all();
  std::vector<std::vector<Bytes>> found(8);
  std::vector<std::thread> threads;
  for (auto& results : found) threads.emplace_back([&] { results = decode_all(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& results : found) EXPECT_TRUE(results == expected);
}

TEST_P(NvjpegTest, ShrinksAsTheProcessorWould) {
  if (!HasBackend()) return;
  const auto lane = device_->NewLane();
  ASSERT_TRUE(lane.ok()) << lane.status();
  ShrinkJob job;
  job.image_width = 301;
  job.image_height = 203;
  job.source = {64, 32, 237, 171};  // to the image's corner
  Bytes rgb(size_t{3} * job.source.width * job.source.height);
  Random random(7);
  for (uint8_t& value : rgb) value = random.Below(256);
  uint8_t* const source = *(*lane)->Allocate(JpegLane::Memory::kDevice, rgb.size());
  ASSERT_EQ(cudaMemcpy(source, rgb.data(), rgb.size(), cudaMemcpyHostToDevice), cudaSuccess);
  for (job.log2_shrink = 0; job.log2_shrink <= 3; ++job.log2_shrink) {
    const int side = 1 << job.log2_shrink;
    const int x = 72 / side, y = 40 / side;
    job.target = {x, y, (301 + side - 1) / side - x, (203 + side - 1) / side - y};
    Bytes expected(size_t{4} * job.target.width * job.target.height);
    job.rgb = rgb.data();
    for (int v = 0; v < job.target.height; ++v) {
      for (int u = 0; u < job.target.width; ++u) ShrinkPixel(job, u, v, expected.data());
    }
    uint8_t* const rgbx = *(*lane)->Allocate(JpegLane::Memory::kDevice, expected.size());
    uint8_t* const fetched = *(*lane)->Allocate(JpegLane::Memory::kHost, expected.size());
    job.rgb = source;
    ASSERT_TRUE((*lane)->Shrink(job, rgbx).ok());
    ASSERT_TRUE((*lane)->Fetch(rgbx, expected.size(), fetched).ok());
    EXPECT_TRUE(Bytes(fetched, fetched + expected.size()) == expected) << side;
    (*lane)->Free(JpegLane::Memory::kDevice, rgbx);
    (*lane)->Free(JpegLane::Memory::kHost, fetched);
  }
  (*lane)->Free(JpegLane::Memory::kDevice, source);
}

INSTANTIATE_TEST_SUITE_P(Backends, NvjpegTest,
                         testing::Values(NvjpegBackend::kEngine, NvjpegBackend::kCores),
                         [](const auto& info) {
                           return info.param == NvjpegBackend::kEngine ? "Engine" : "Cores";
                         });

}  // namespace
}  // namespace data
