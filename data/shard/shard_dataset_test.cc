// Folders of shards: more of them than a process may have descriptors, and shards that change while
// they are read.
#include "data/shard/shard_dataset.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "base/shared_bytes.h"
#include "data/codec/test_images.h"
#include "data/io/scratch_buffer.h"
#include "data/shard/shard_manifest.h"
#include "data/shard/shard_reader.h"
#include "data/shard/shard_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string ShardPath(const std::string& folder, int index) {
  return absl::StrCat(folder, absl::StrFormat("/%05d.shard", index));
}

void WriteShard(const std::string& path, int seed) {
  const Bytes jpeg = MakeJpeg(24, 16, seed);
  const auto writer = ShardWriter::Create(path);
  ASSERT_TRUE(writer.ok()) << writer.status();
  EncodedSample sample;
  sample.bytes = jpeg;
  sample.width = 24;
  sample.height = 16;
  ASSERT_TRUE((*writer)->Add(sample, 0, "image").ok());
  ASSERT_TRUE((*writer)->Finish(/*fingerprint=*/seed).ok());
}

// A dataset of `count` shards of one sample, which are one file by many names.
std::string WriteShards(const std::string& name, int count) {
  const std::string folder = absl::StrCat(getenv("TEST_TMPDIR"), "/", name);
  EXPECT_TRUE(base::MakeFolder(folder).ok());
  WriteShard(ShardPath(folder, 0), 0);
  const auto shard = ShardReader::Open(ShardPath(folder, 0));
  EXPECT_TRUE(shard.ok()) << shard.status();
  ShardManifest manifest;
  manifest.class_names = {"all"};
  for (int i = 0; i < count; ++i) {
    const std::string path = ShardPath(folder, i);
    if (i > 0) {
      EXPECT_EQ(link(ShardPath(folder, 0).c_str(), path.c_str()), 0);
    }
    manifest.shards.push_back({fs::path(path).filename(), 1, shard->header().index_checksum});
  }
  EXPECT_TRUE(WriteShardManifest(folder, manifest).ok());
  return folder;
}

TEST(ShardDatasetTest, MoreShardsThanDescriptors) {
  constexpr int kShards = 1700, kThreads = 4;
  const std::string folder = WriteShards("many", kShards);
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few = {120, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto dataset = ShardDataset::Open(folder);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ((*dataset)->size(), kShards);
  std::vector<int> read(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      ScratchBuffer buffer;
      for (int i = 0; i < kShards; ++i) {
        const int64_t index = (int64_t{i} * 1009 + 401 * thread) % kShards;
        (*dataset)->WillRead(index, index + 1);
        const auto sample = (*dataset)->Read(index, buffer);
        read[thread] += sample.ok() && (*dataset)->name(index) == "image";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(read, testing::Each(kShards));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// The files read last stay open; of others only the same one is opened again.
TEST(ShardDatasetTest, AShardReplacedOrGoneIsNoDamage) {
  const std::string folder = WriteShards("changing", 100);
  const auto dataset = ShardDataset::Open(folder);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ScratchBuffer buffer;
  WriteShard(ShardPath(folder, 0), 7);
  fs::remove(ShardPath(folder, 1));
  const absl::Status replaced = (*dataset)->Read(0, buffer).status();
  EXPECT_EQ(replaced.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(replaced.message()),
              HasSubstr("00000.shard: was replaced by another file while it was in use"));
  EXPECT_EQ((*dataset)->Read(1, buffer).status().code(), absl::StatusCode::kNotFound);
  WriteShard(ShardPath(folder, 99), 7);
  EXPECT_TRUE((*dataset)->Read(99, buffer).ok());
}

TEST(ShardDatasetTest, OneProcessReadsTheIndexesForAll) {
  const std::string folder = WriteShards("shared", 5);
  std::string index;
  const auto first = ShardDataset::Open(folder, nullptr,
                                        [&](const auto& make) -> absl::StatusOr<base::SharedBytes> {
                                          index = *make();
                                          return base::Share(index);
                                        });
  ASSERT_TRUE(first.ok()) << first.status();
  const auto open = [&] {
    return ShardDataset::Open(folder, nullptr, [&](const auto&) { return base::Share(index); });
  };
  const auto other = open();
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ((*other)->size(), 5);
  EXPECT_EQ((*other)->class_names(), (*first)->class_names());
  EXPECT_EQ(*(*other)->Fingerprint(), *(*first)->Fingerprint());
  ScratchBuffer buffer, expected;
  (*other)->WillRead(0, 3);
  for (int i = 0; i < 3; ++i) {
    const auto sample = (*other)->Read(i, buffer), same = (*first)->Read(i, expected);
    ASSERT_TRUE(sample.ok() && same.ok()) << sample.status() << same.status();
    EXPECT_EQ(sample->bytes, same->bytes);
    EXPECT_EQ((*other)->name(i), "image");
  }
  // Not opened yet.
  fs::remove(ShardPath(folder, 3));
  EXPECT_EQ((*other)->Read(3, buffer).status().code(), absl::StatusCode::kNotFound);
  WriteShard(ShardPath(folder, 4), 7);
  const absl::Status replaced = (*other)->Read(4, buffer).status();
  EXPECT_EQ(replaced.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(replaced.message()), HasSubstr("00004.shard: was replaced while"));

  while (!index.empty()) {
    index.pop_back();
    ASSERT_EQ(open().status().code(), absl::StatusCode::kInternal) << index.size();
  }
}

TEST(ShardDatasetTest, AShardListedTwiceIsAnError) {
  const std::string folder = WriteShards("twice", 2);
  auto manifest = ReadShardManifest(folder);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  manifest->shards[1].file = manifest->shards[0].file;
  ASSERT_TRUE(WriteShardManifest(folder, *manifest).ok());
  EXPECT_THAT(std::string(ShardDataset::Open(folder).status().message()),
              HasSubstr("dataset.json: lists 00000.shard twice"));
}

}  // namespace
}  // namespace data
