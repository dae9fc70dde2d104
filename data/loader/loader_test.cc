#include "data/loader/loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/codec/fake_jpeg_device.h"
#include "data/codec/test_images.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/test_batches.h"
#include "data/sources/dataset.h"
#include "data/sources/test_datasets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LoaderTest, GlobalBatchesAreTheSameOnAnyNumberOfRanksAndThreads) {
  const MemoryDataset dataset = SmallImages(37);
  for (const Order order : {Order::kShuffled, Order::kQuasiRandom, Order::kSequential}) {
    LoaderOptions options = TrainOptions(8);
    options.order = order;
    options.drop_last = false;
    const std::vector<Content> expected = ReadBatches(dataset, options, 1, 11);
    EXPECT_EQ(expected[4].ids.size(), 37 - 4 * 8);
    for (const int ranks : {2, 4, 8}) {
      options.threads = ranks;
      options.prefetch = 1 + ranks / 2;
      EXPECT_EQ(ReadBatches(dataset, options, ranks, 11), expected) << ranks;
    }
  }
}

TEST(LoaderTest, AnEpochVisitsEverySampleOnceAndEpochsDiffer) {
  const MemoryDataset dataset = SmallImages(30);
  LoaderOptions options = TrainOptions(10);
  const std::vector<Content> batches = ReadBatches(dataset, options, 2, 6);
  std::vector<std::vector<int64_t>> epochs(2);
  for (int i = 0; i < 6; ++i) {
    epochs[i / 3].insert(epochs[i / 3].end(), batches[i].ids.begin(), batches[i].ids.end());
  }
  EXPECT_NE(epochs[0], epochs[1]);
  std::vector<int64_t> all(30);
  std::iota(all.begin(), all.end(), 0);
  for (std::vector<int64_t>& epoch : epochs) {
    EXPECT_NE(epoch, all);
    std::sort(epoch.begin(), epoch.end());
    EXPECT_EQ(epoch, all);
  }
}

TEST(LoaderTest, ASampleIsAugmentedAnewEachEpoch) {
  const MemoryDataset dataset = SmallImages(1);
  const std::vector<Content> batches = ReadBatches(dataset, TrainOptions(1), 1, 4);
  EXPECT_NE(batches[0].pixels, batches[1].pixels);
  EXPECT_NE(batches[1].pixels, batches[2].pixels);
}

// All that draws more than a crop, on ranks, threads, and behind threads that read.
TEST(LoaderTest, RecipesAreTheSameOnAnyNumberOfRanksAndThreads) {
  const MemoryDataset dataset = SmallImages(40);
  LoaderOptions options = TrainOptions(16);
  options.mixing = {.mixup = 0.4, .cutmix = 1};
  options.augmentation.policy.kind = PixelPolicy::Kind::kRandAugment;
  options.augmentation.policy.hue = 0.3;
  options.sampling = {.groups = std::vector<int32_t>(40), .shares = {0.75, 0.25}};
  for (int i = 10; i < 40; ++i) options.sampling.groups[i] = 1;
  const std::vector<Content> expected = ReadBatches(dataset, options, 1, 6);
  for (const int ranks : {2, 4, 8}) {
    options.threads = ranks;
    EXPECT_EQ(ReadBatches(dataset, options, ranks, 6), expected) << ranks;
  }
  int of_group_0 = 0;
  for (const Content& content : expected) {
    for (const int64_t id : content.ids) of_group_0 += id < 10;
  }
  EXPECT_NEAR(of_group_0, 0.75 * 6 * 16, 8);
}

TEST(LoaderTest, PairsAreMixedWithTheirLabels) {
  const MemoryDataset dataset = SmallImages(16);
  LoaderOptions options;
  options.global_batch = 8;
  options.augmentation.normalization = {};
  const std::vector<Content> plain = ReadBatches(dataset, options, 1, 4);
  options.mixing.mixup = 1;
  const auto loader = Loader::Create(dataset, options);
  ASSERT_TRUE(loader.ok()) << loader.status();
  bool mixed = false;
  for (const Content& content : plain) {
    const auto batch = (*loader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_EQ(batch->labels.size(), 8);
    for (size_t i = 0; i < 8; ++i) {
      const size_t other = i ^ 1;
      EXPECT_EQ(batch->labels[i], content.labels[i]);
      EXPECT_EQ(batch->other_labels[i], content.labels[other]);
      const float share = batch->label_shares[i];
      EXPECT_EQ(share, batch->label_shares[other]);
      mixed = mixed || (share > 0.1 && share < 0.9);
      for (size_t at = 0; at < 3 * 32 * 32; ++at) {
        const float own = content.pixels[i * 3 * 32 * 32 + at];
        const float others = content.pixels[other * 3 * 32 * 32 + at];
        ASSERT_NEAR(batch->floats()[i * 3 * 32 * 32 + at], share * own + (1 - share) * others,
                    1e-5);
      }
    }
  }
  EXPECT_TRUE(mixed);
}

TEST(LoaderTest, LoadersShareThreads) {
  const MemoryDataset dataset = SmallImages(32);
  LoaderOptions options = TrainOptions(8);
  const std::vector<Content> expected = ReadBatches(dataset, options, 1, 12);
  options.pool = std::make_shared<DecodePool>(2);
  const auto first = Loader::Create(dataset, options), second = Loader::Create(dataset, options);
  ASSERT_TRUE((*second)->Seek(1, 0).ok());
  for (int i = 0; i < 8; ++i) {
    for (const auto& [loader, place] : {std::pair(first->get(), i), {second->get(), i + 4}}) {
      const auto batch = loader->Next();
      ASSERT_TRUE(batch.ok()) << batch.status();
      Content content;
      Append(*batch, content);
      EXPECT_EQ(content, expected[place]) << place;
    }
  }
}

TEST(LoaderTest, APauseChangesNothing) {
  const MemoryDataset dataset = SmallImages(32);
  LoaderOptions options = TrainOptions(8);
  options.threads = 2;
  options.prefetch = 3;
  const std::vector<Content> expected = ReadBatches(dataset, options, 1, 12);
  const auto loader = Loader::Create(dataset, options);
  ASSERT_TRUE(loader.ok()) << loader.status();
  Batch kept;
  for (int i = 0; i < 8; ++i) {
    if (i % 3 == 1) (*loader)->Pause();
    if (i % 3 == 2) {
      (*loader)->Pause();
      (*loader)->Pause();
      EXPECT_TRUE((*loader)->Seek(0, 0).ok());
      EXPECT_TRUE((*loader)->Seek(i / 4, i % 4).ok());
    }
    const auto batch = (*loader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    Content content;
    Append(*batch, content);
    EXPECT_EQ(content, expected[i]) << i;
    if (i == 0) kept = *batch;
  }
  Content content;
  Append(kept, content);
  EXPECT_EQ(content, expected[0]);
}

TEST(LoaderTest, SizesGrowWithTheEpochs) {
  const MemoryDataset dataset = SmallImages(8);
  LoaderOptions options = TrainOptions(4);
  options.augmentation.crop = Augmentation::Crop::kResized;
  options.sizes = {{0, 16}, {1, 24}, {3, 32}};
  options.threads = 2;
  options.prefetch = 5;
  const auto loader = Loader::Create(dataset, options);
  ASSERT_TRUE(loader.ok()) << loader.status();
  for (const int size : {16, 16, 24, 24, 24, 24, 32, 32}) {
    const auto batch = (*loader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->size, size);
    LoaderOptions alone = options;
    alone.sizes = {};
    alone.augmentation.size = size;
    const auto plain = Loader::Create(dataset, alone);
    ASSERT_TRUE((*plain)->Seek(batch->epoch, batch->step).ok());
    const auto expected = (*plain)->Next();
    ASSERT_TRUE(expected.ok());
    EXPECT_TRUE(
        std::equal(batch->floats(), batch->floats() + 4 * 3 * size * size, expected->floats()));
  }
}

// Small images, some of which the device leaves to the processor and some damaged, are not resized:
// a device whose pixels are libjpeg's gives the same batches.
TEST(LoaderTest, ADeviceThatDecodesChangesNothingElse) {
  std::vector<Bytes> jpegs;
  for (int i = 0; i < 24; ++i) jpegs.push_back(MakeJpeg(32, 32, i, {.progressive = i % 4 == 0}));
  for (const int i : {3, 8}) jpegs[i].resize(jpegs[i].size() - 40);
  const MemoryDataset dataset = JpegDataset(std::move(jpegs));
  LoaderOptions options = TrainOptions(8);
  options.on_bad_sample = LoaderOptions::OnBadSample::kSkip;
  const std::vector<Content> expected = ReadBatches(dataset, options, 1, 9);
  options.threads = 2;
  for (const int ranks : {1, 2}) {
    const auto device = std::make_shared<FakeJpegDevice>();
    options.jpeg_device = device;
    EXPECT_EQ(ReadBatches(dataset, options, ranks, 9), expected) << ranks;
    EXPECT_GT(device->decoded, 0);
    EXPECT_GT(device->left, 0);
    EXPECT_EQ(device->allocated, 0);
  }
}

// Files without checksums are looked through when they are first seen: which does not show.
TEST(LoaderTest, WhatADeviceDecodesDoesNotDependOnWhatWasSeenBefore) {
  std::vector<Bytes> jpegs;
  for (int i = 0; i < 8; ++i) jpegs.push_back(MakeJpeg(200 + 20 * i, 180, i));
  const MemoryDataset dataset = JpegDataset(std::move(jpegs));
  LoaderOptions options = TrainOptions(4);
  options.augmentation = ImageNetTrain();
  options.augmentation.size = 32;
  options.jpeg_device = std::make_shared<FakeJpegDevice>();
  const std::vector<Content> expected = ReadBatches(dataset, options, 1, 6);
  for (int place = 0; place < 6; ++place) {
    const auto loader = Loader::Create(dataset, options);
    ASSERT_TRUE((*loader)->Seek(place / 2, place % 2).ok());
    const auto batch = (*loader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    Content content;
    Append(*batch, content);
    EXPECT_EQ(content, expected[place]) << place;
  }
}

TEST(LoaderTest, RecipesThatMakeNoSenseAreRefused) {
  const MemoryDataset dataset = SmallImages(16);
  const auto refusal = [&](auto change) {
    LoaderOptions options = TrainOptions(8);
    change(options);
    return std::string(Loader::Create(dataset, options).status().message());
  };
  EXPECT_EQ(refusal([](LoaderOptions& options) {
              options.mixing.mixup = 1;
              options.world_size = 8;
            }),
            "loader: mixing: batches of 8 are not whole pairs of each of 8 ranks");
  EXPECT_EQ(refusal([](LoaderOptions& options) {
              options.sizes = {{1, 16}};
            }),
            "loader: sizes: epoch 1 is out of order");
  EXPECT_EQ(refusal([](LoaderOptions& options) {
              options.sampling = {{0}, {1}};
            }),
            "loader: sampling: 1 groups of 16 samples");
  EXPECT_EQ(refusal([](LoaderOptions& options) {
              options.sampling = {std::vector<int32_t>(16), {0.5, 0.5}};
            }),
            "loader: sampling: group 1 has no samples");
  EXPECT_EQ(refusal([](LoaderOptions& options) {
              options.sampling = {std::vector<int32_t>(16), {0.5}};
            }),
            "loader: sampling: the shares add up to 0.5");
  EXPECT_EQ(refusal([](LoaderOptions& options) {
              options.sampling = {std::vector<int32_t>(16), {1}};
              options.order = Order::kQuasiRandom;
            }),
            "loader: sampling: wants samples shuffled");
}

TEST(LoaderTest, SeekGoesToAnyStepWithoutChangingIt) {
  const MemoryDataset dataset = SmallImages(20);
  const LoaderOptions options = TrainOptions(6);
  const std::vector<Content> expected = ReadBatches(dataset, options, 1, 9);  // three epochs
  const auto loader = Loader::Create(dataset, options);
  ASSERT_TRUE(loader.ok()) << loader.status();
  EXPECT_EQ((*loader)->steps_per_epoch(), 3);
  for (const int place : {7, 2, 3, 3, 8, 0, 1}) {
    ASSERT_TRUE((*loader)->Seek(place / 3, place % 3).ok());
    const auto batch = (*loader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->epoch, place / 3);
    EXPECT_EQ(batch->step, place % 3);
    Content content;
    Append(*batch, content);
    EXPECT_EQ(content, expected[place]) << place;
  }
  EXPECT_FALSE((*loader)->Seek(0, 3).ok());
}

TEST(LoaderTest, IsReadySaysWhetherNextWouldWait) {
  const MemoryDataset dataset = SmallImages(8);
  const auto loader = Loader::Create(dataset, TrainOptions(4));
  ASSERT_TRUE(loader.ok()) << loader.status();
  for (int i = 0; i < 5; ++i) {
    while (!(*loader)->IsReady(std::chrono::milliseconds(20))) {
    }
    EXPECT_TRUE((*loader)->IsReady(std::chrono::milliseconds(0)));
    EXPECT_TRUE((*loader)->Next().ok());
  }
}

TEST(LoaderTest, BatchesOutliveTheLoaderAndAreNotOverwritten) {
  const MemoryDataset dataset = SmallImages(12);
  LoaderOptions options = TrainOptions(2);
  const std::vector<Content> expected = ReadBatches(dataset, options, 1, 6);
  std::vector<Batch> held;
  {
    const auto loader = Loader::Create(dataset, options);
    for (int i = 0; i < 6; ++i) held.push_back(*(*loader)->Next());
  }
  for (int i = 0; i < 6; ++i) {
    Content content;
    Append(held[i], content);
    EXPECT_EQ(content, expected[i]);
  }
}

TEST(LoaderTest, AllocatesOnlyTheBatchesInFlight) {
  const MemoryDataset dataset = SmallImages(12);
  LoaderOptions options = TrainOptions(2);
  int allocations = 0;
  options.allocate = [&allocations](size_t bytes) {
    EXPECT_EQ(bytes, 2 * 3 * 32 * 32 * sizeof(float));
    ++allocations;
    return std::shared_ptr<uint8_t>(new uint8_t[bytes], std::default_delete<uint8_t[]>());
  };
  const auto loader = Loader::Create(dataset, options);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE((*loader)->Next().ok());
  EXPECT_LE(allocations, options.prefetch + 2);
}

// As one of a server, each read of which takes a while.
class SlowDataset : public Dataset {
 public:
  SlowDataset(int count, int depth) : images_(SmallImages(count)), depth_(depth) {}

  int64_t size() const override { return images_.size(); }
  const std::vector<std::string>& class_names() const override { return images_.class_names(); }
  int64_t label(int64_t index) const override { return images_.label(index); }
  std::string name(int64_t index) const override { return images_.name(index); }
  int read_depth() const override { return depth_; }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override {
    const int now = ++reading_;
    for (int most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1 + index % 7));
    --reading_;
    return images_.Read(index, buffer);
  }

  int most() const { return most_; }  // reads at a time

 private:
  const MemoryDataset images_;
  const int depth_;
  mutable std::atomic<int> reading_ = 0;
  mutable std::atomic<int> most_ = 0;
};

TEST(LoaderTest, WhatIsReadByThreadsOfItsOwnIsTheSame) {
  const LoaderOptions options = TrainOptions(16);
  const auto expected = ReadBatches(SmallImages(64), options, /*ranks=*/1, /*batches=*/9);
  for (const int threads : {1, 3}) {
    const SlowDataset dataset(/*count=*/64, /*depth=*/12);
    LoaderOptions with_threads = options;
    with_threads.threads = threads;
    EXPECT_EQ(ReadBatches(dataset, with_threads, 1, 9), expected);
    EXPECT_GT(dataset.most(), threads);
    EXPECT_LE(dataset.most(), 12);
  }
}

TEST(LoaderTest, OptionsThatMakeNoSenseAreNamed) {
  const MemoryDataset dataset = SmallImages(4);
  const auto error = [&dataset](auto change) {
    LoaderOptions options = TrainOptions(2);
    change(options);
    return std::string(Loader::Create(dataset, options).status().message());
  };
  EXPECT_THAT(error([](LoaderOptions& o) { o.global_batch = 0; }), HasSubstr("global_batch"));
  EXPECT_THAT(error([](LoaderOptions& o) { o.global_batch = 5; }), HasSubstr("global_batch"));
  EXPECT_THAT(error([](LoaderOptions& o) { o.rank = 1; }), HasSubstr("rank"));
  EXPECT_THAT(error([](LoaderOptions& o) { o.threads = 0; }), HasSubstr("threads"));
  EXPECT_THAT(error([](LoaderOptions& o) { o.prefetch = 0; }), HasSubstr("prefetch"));
  EXPECT_THAT(error([](LoaderOptions& o) { o.samples = {4}; }), HasSubstr("samples: 4"));
  EXPECT_THAT(error([](LoaderOptions& o) { o.augmentation.padding = -1; }), HasSubstr("padding"));
}

}  // namespace
}  // namespace data
