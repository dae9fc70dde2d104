// Damaged inputs: each is a named bad sample or a clear error, never a crash, and never other
// pixels than those that went in where a checksum or the format can tell. (Cut files are in
// open_dataset_test.cc, forged shards in data/shard/shard_reader_test.cc.)
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "data/codec/image_decoder.h"
#include "data/codec/test_images.h"
#include "data/pixels/random.h"
#include "data/shard/packer.h"
#include "data/shard/shard_reader.h"
#include "data/sources/beton_dataset.h"
#include "data/sources/cifar_dataset.h"
#include "data/sources/dataset_summary.h"
#include "data/sources/tar_dataset.h"
#include "data/sources/test_datasets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string TestPath(absl::string_view name) {
  return absl::StrCat(getenv("TEST_TMPDIR"), "/", name);
}

// Not atomic: thousands of files need no fsync.
void WriteBytes(const std::string& path, absl::string_view bytes) {
  FILE* file = fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  ASSERT_EQ(fclose(file), 0);
}

MemoryDataset SmallImages(int count) {
  std::vector<Bytes> jpegs;
  for (int i = 0; i < count; ++i) jpegs.push_back(MakeJpeg(24, 16, i));
  return JpegDataset(std::move(jpegs));
}

// Packs a few small images into one shard and returns its path.
std::string PackSmallShard(const std::string& folder) {
  const auto report = Pack(SmallImages(4), TestPath(folder), PackOptions());
  EXPECT_TRUE(report.ok()) << report.status();
  return TestPath(absl::StrCat(folder, "/00000.shard"));
}

// The samples' payloads; "bad" where reading failed.
std::vector<std::string> Payloads(const ShardReader& shard) {
  std::vector<std::string> payloads;
  ScratchBuffer buffer;
  for (int64_t i = 0; i < shard.size(); ++i) {
    const auto sample = shard.Read(i, buffer);
    payloads.push_back(sample.ok() ? std::string(sample->bytes.begin(), sample->bytes.end())
                                   : "bad");
  }
  return payloads;
}

std::string FlipRandomBit(std::string bytes, Random& random) {
  const uint64_t bit = random.Below(8 * bytes.size());
  bytes[bit / 8] ^= 1 << bit % 8;
  return bytes;
}

// The files 25 to 29 are odd, not damaged: CMYK, one pixel, one column, bytes behind the end, a PNG
// under a JPEG's name.
TEST(CorruptFilesTest, TheDamagedOnesAreBadSamplesByName) {
  const auto dataset = TarDataset::Open("data/loader/testdata/corrupt.tar");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ASSERT_EQ((*dataset)->size(), 30);
  const DatasetSummary summary = *Summarize(**dataset, /*decode=*/true, /*threads=*/2);
  std::vector<int64_t> bad;
  for (const DamagedSample& sample : summary.bad) {
    bad.push_back(sample.index);
    EXPECT_EQ(sample.name, (*dataset)->name(sample.index));
    EXPECT_NE(sample.reason, "");
  }
  std::vector<int64_t> damaged(25);
  for (int i = 0; i < 25; ++i) damaged[i] = i;
  EXPECT_EQ(bad, damaged);
  EXPECT_THAT(summary.encoding_counts, ElementsAre(4, 0, 1));
}

TEST(CorruptFilesTest, NoDamagedOneIsPacked) {
  const auto dataset = TarDataset::Open("data/loader/testdata/corrupt.tar");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  PackOptions options;
  options.skip_bad_samples = true;
  options.shuffle = false;
  const auto report = Pack(**dataset, TestPath("corrupt"), options);
  ASSERT_TRUE(report.ok()) << report.status();
  const auto shard = ShardReader::Open(TestPath("corrupt/00000.shard"));
  ASSERT_TRUE(shard.ok()) << shard.status();
  ASSERT_EQ(shard->size(), 5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(shard->name(i), (*dataset)->name(25 + i));
  const auto rejected = shard->Rejected();
  ASSERT_EQ(rejected.size(), 25);
  for (int i = 0; i < 25; ++i) EXPECT_EQ(rejected[i].first, (*dataset)->name(i));
}

// Every byte is under a checksum, so every flip is found, and costs no more than the sample it hit.
TEST(ShardDamageTest, TenThousandFlippedBitsAreFound) {
  constexpr int kFlips = 10000;
  const std::string good = *base::ReadFile(PackSmallShard("flips"));
  const std::string path = TestPath("flipped.shard");
  WriteBytes(path, good);
  const std::vector<std::string> payloads = Payloads(*ShardReader::Open(path));
  Random random(/*seed=*/1);
  int refused = 0, bad_samples = 0;
  for (int i = 0; i < kFlips; ++i) {
    WriteBytes(path, FlipRandomBit(good, random));
    const auto shard = ShardReader::Open(path);
    if (!shard.ok()) {
      ASSERT_THAT(std::string(shard.status().message()), HasSubstr(path));
      ++refused;
      continue;
    }
    const std::vector<std::string> damaged = Payloads(*shard);
    int bad = 0;
    for (size_t k = 0; k < payloads.size(); ++k) {
      if (damaged[k] == "bad") {
        ++bad;
      } else {
        ASSERT_TRUE(damaged[k] == payloads[k]) << i;
      }
    }
    ASSERT_EQ(bad, 1) << i;
    ++bad_samples;
  }
  EXPECT_EQ(refused + bad_samples, kFlips);
  EXPECT_GT(refused, kFlips / 20);
  EXPECT_GT(bad_samples, kFlips / 2);
}

// Without checksums: what contradicts the rest of the file is refused, what breaks a JPEG is a bad
// sample, and a flipped raw pixel is a pixel.
TEST(BetonDamageTest, FlippedBitsNeverCrash) {
  const Bytes jpeg = MakeJpeg(16, 8, 1);
  const std::string good = MakeBeton(std::string(jpeg.begin(), jpeg.end()), std::string(18, 'x'));
  const std::string path = TestPath("flipped.beton");
  // The parts that mean something: header, field types, metadata, the JPEG, the allocation table.
  constexpr size_t kPage = 4096;
  std::vector<size_t> places;
  for (size_t at = 0; at < good.size(); ++at) {
    const bool argument = at >= 24 && at < 24 + 2 * 1041 && (at - 24) % 1041 != 0;
    const bool padding = at >= kPage + jpeg.size() && at < 3 * kPage;
    if (!argument && !padding) places.push_back(at);
  }
  int refused = 0, bad_samples = 0;
  for (const size_t at : places) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = good;
      flipped[at] ^= 1 << bit;
      WriteBytes(path, flipped);
      const auto dataset = BetonDataset::Open(path);
      if (!dataset.ok()) {
        ASSERT_THAT(std::string(dataset.status().message()), HasSubstr(path));
        ++refused;
        continue;
      }
      const DatasetSummary summary = *Summarize(**dataset, /*decode=*/true, /*threads=*/1);
      ASSERT_LE(summary.bad.size(), 1);
      bad_samples += summary.bad.size();
    }
  }
  EXPECT_GT(refused, 300);
  EXPECT_GT(bad_samples, 300);
}

TEST(TarDamageTest, FlippedBitsNeverCrash) {
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 3; ++i) {
    const Bytes jpeg = MakeJpeg(24, 16, i);
    files.emplace_back(absl::StrCat(i, ".cls"), absl::StrCat(i));
    files.emplace_back(absl::StrCat(i, ".jpg"), std::string(jpeg.begin(), jpeg.end()));
  }
  const std::string good = MakeTar(files), path = TestPath("flipped.tar");
  Random random(/*seed=*/2);
  for (int i = 0; i < 3000; ++i) {
    WriteBytes(path, FlipRandomBit(good, random));
    const auto dataset = TarDataset::Open(path);
    if (!dataset.ok()) {
      ASSERT_THAT(std::string(dataset.status().message()), HasSubstr(path));
      continue;
    }
    const DatasetSummary summary = *Summarize(**dataset, /*decode=*/true, /*threads=*/1);
    ASSERT_LE(summary.bad.size(), 1);
  }
}

TEST(CifarDamageTest, FlippedBitsChangeOnePixelOrLabelAtMost) {
  ASSERT_TRUE(base::MakeFolder(TestPath("cifar")).ok());
  WriteBytes(TestPath("cifar/batches.meta.txt"), "a\nb\n");
  std::string good;
  for (int i = 0; i < 2; ++i) {
    const Bytes pixels = DrawPicture(32, 32, i);
    good += static_cast<char>(i);
    good.append(pixels.begin(), pixels.end());
  }
  const std::string path = TestPath("cifar/data_batch_1.bin");
  Random random(/*seed=*/3);
  for (int i = 0; i < 3000; ++i) {
    WriteBytes(path, FlipRandomBit(good, random));
    const auto dataset = CifarDataset::Open(path);
    if (!dataset.ok()) {
      ASSERT_THAT(std::string(dataset.status().message()), HasSubstr(path));
      continue;
    }
    const DatasetSummary summary = *Summarize(**dataset, /*decode=*/true, /*threads=*/1);
    ASSERT_EQ(summary.bad.size(), 0);
    ASSERT_EQ(summary.encoding_counts[1], 2);
  }
  WriteBytes(path, absl::string_view(good).substr(1));
  EXPECT_FALSE(CifarDataset::Open(path).ok());
}

// In a process of its own, which dies if the decoder asks for the memory that the header declares.
void DecodeHugeUnderLimit() {
  Bytes jpeg = MakeJpeg(24, 16, 1);
  for (size_t i = 0; i + 9 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) {
      jpeg[i + 5] = jpeg[i + 7] = 65500 >> 8;
      jpeg[i + 6] = jpeg[i + 8] = 65500 & 255;
    }
  }
  const rlimit limit = {512 << 20, 512 << 20};
  setrlimit(RLIMIT_AS, &limit);
  EncodedSample sample;
  sample.bytes = jpeg;
  if (!ImageDecoder::FindSize(sample).ok() || sample.width != 65500) exit(1);
  exit(ImageDecoder().Decode(sample).ok() ? 2 : 0);
}

TEST(HugeImageTest, IsRefusedInLittleMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer itself needs more address space";
#endif
  EXPECT_EXIT(DecodeHugeUnderLimit(), testing::ExitedWithCode(0), "");
}

TEST(ShardSharingTest, ManyThreadsReadTheSameSamples) {
  const auto shard = ShardReader::Open(PackSmallShard("threads"));
  ASSERT_TRUE(shard.ok()) << shard.status();
  const std::vector<std::string> payloads = Payloads(*shard);
  std::vector<int> equal(4);
  std::vector<std::thread> threads;
  for (int& count : equal) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) count += Payloads(*shard) == payloads;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(equal, ElementsAre(200, 200, 200, 200));
}

TEST(ShardSharingTest, AShardDeletedWhileOpenStaysReadable) {
  const std::string path = PackSmallShard("deleted_open");
  const auto shard = ShardReader::Open(path);
  ASSERT_TRUE(shard.ok()) << shard.status();
  const std::vector<std::string> payloads = Payloads(*shard);
  ASSERT_EQ(std::remove(path.c_str()), 0);
  EXPECT_EQ(Payloads(*shard), payloads);
  EXPECT_EQ(shard->name(0).substr(0, 5), "image");
}

TEST(ShardSharingTest, AShardCutWhileOpenHasBadSamples) {
  const std::string path = PackSmallShard("cut_open");
  const auto shard = ShardReader::Open(path);
  ASSERT_TRUE(shard.ok()) << shard.status();
  WriteBytes(path, "");
  EXPECT_THAT(Payloads(*shard), ElementsAre("bad", "bad", "bad", "bad"));
}

}  // namespace
}  // namespace data
