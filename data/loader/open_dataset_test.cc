#include "data/loader/open_dataset.h"

#include <stdlib.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "data/codec/test_images.h"
#include "data/io/scratch_buffer.h"
#include "data/shard/packer.h"
#include "data/sources/dataset.h"
#include "data/sources/test_datasets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string TestPath(const std::string& name) {
  return absl::StrCat(getenv("TEST_TMPDIR"), "/", name);
}

std::string Text(const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

void Write(const std::string& path, const std::string& bytes) {
  ASSERT_TRUE(base::MakeFolder(path.substr(0, path.rfind('/'))).ok());
  ASSERT_TRUE(base::WriteFileAtomically(path, bytes).ok());
}

std::string BytesOf(const Dataset& dataset, int64_t index) {
  ScratchBuffer buffer;
  const auto sample = dataset.Read(index, buffer);
  EXPECT_TRUE(sample.ok()) << sample.status();
  return std::string(sample->bytes.begin(), sample->bytes.end());
}

TEST(OpenDatasetTest, Folder) {
  const std::string root = TestPath("folder");
  const std::string cat = Text(MakeJpeg(20, 10, 1)), dog = Text(MakePng(9, 9, 2));
  Write(root + "/dog/b.JPEG", dog);  // a PNG by another name
  Write(root + "/cat/x/a.jpg", cat);
  Write(root + "/cat/notes.txt", "none");
  const auto dataset = OpenDataset(root);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT((*dataset)->class_names(), ElementsAre("cat", "dog"));
  EXPECT_THAT(Labels(**dataset), ElementsAre(0, 1));
  EXPECT_EQ((*dataset)->name(0), "cat/x/a.jpg");
  EXPECT_EQ(BytesOf(**dataset, 0), cat);
  EXPECT_EQ(BytesOf(**dataset, 1), dog);
}

TEST(OpenDatasetTest, TarWithLabelsAndTarWithFolders) {
  const std::string a = Text(MakeJpeg(20, 10, 1)), b = Text(MakeJpeg(10, 20, 2));
  Write(TestPath("labels.tar"),
        MakeTar({{"1.jpg", a}, {"1.cls", "1"}, {"2.cls", "0"}, {"2.jpg", b}}));
  const auto labels = OpenDataset(TestPath("labels.tar"));
  ASSERT_TRUE(labels.ok()) << labels.status();
  EXPECT_THAT(Labels(**labels), ElementsAre(1, 0));
  EXPECT_THAT((*labels)->class_names(), ElementsAre("0", "1"));
  EXPECT_EQ(BytesOf(**labels, 1), b);

  Write(TestPath("folders.tar"), MakeTar({{"x/dog/1.jpg", a}, {"x/cat/2.jpg", b}}));
  const auto folders = OpenDataset(TestPath("folders.tar"));
  ASSERT_TRUE(folders.ok()) << folders.status();
  EXPECT_THAT((*folders)->class_names(), ElementsAre("cat", "dog"));
  EXPECT_THAT(Labels(**folders), ElementsAre(1, 0));

  Write(TestPath("none.tar"), MakeTar({{"1.jpg", a}}));
  EXPECT_EQ(OpenDataset(TestPath("none.tar")).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(OpenDatasetTest, EveryTruncationOfATarIsAnError) {
  const std::string tar = MakeTar({{"1.cls", "0"}, {"1.jpg", "not looked at"}});
  // The second zero block is not needed.
  for (size_t size = 0; size < tar.size() - 512; ++size) {
    Write(TestPath("cut.tar"), tar.substr(0, size));
    ASSERT_FALSE(OpenDataset(TestPath("cut.tar")).ok()) << size;
  }
}

// An IDX file of `sizes` dimensions.
std::string Idx(const std::vector<uint8_t>& sizes, const std::string& values) {
  std::string file = {0, 0, 8, static_cast<char>(sizes.size())};
  for (const uint8_t size : sizes) file += {0, 0, 0, static_cast<char>(size)};
  return file + values;
}

TEST(OpenDatasetTest, Idx) {
  const std::string images = Idx({3, 1, 2}, "abcdef"), labels = Idx({3}, {1, 0, 1});
  Write(TestPath("idx/train-images-idx3-ubyte"), images);
  Write(TestPath("idx/train-labels-idx1-ubyte"), labels);
  Write(TestPath("idx/t10k-images-idx3-ubyte"), images);
  const auto dataset = OpenDataset(TestPath("idx"));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT((*dataset)->class_names(), ElementsAre("0", "1"));
  EXPECT_THAT(Labels(**dataset), ElementsAre(1, 0, 1));
  EXPECT_EQ((*dataset)->name(2), "train-images-idx3-ubyte#2");
  // In the middle of 32 x 32 black pixels.
  std::string pixels(3 * 32 * 32, 0);
  pixels.replace(3 * (15 * 32 + 15), 6, "eeefff");
  EXPECT_EQ(BytesOf(**dataset, 2), pixels);
  // One of them, by its name; the labels are not there.
  EXPECT_TRUE(OpenDataset(TestPath("idx/train-images-idx3-ubyte")).ok());
  EXPECT_THAT(std::string(OpenDataset(TestPath("idx/t10k-images-idx3-ubyte")).status().message()),
              HasSubstr("t10k-labels-idx1-ubyte"));

  const auto error_of = [&](const std::string& file, const std::string& bytes) {
    Write(TestPath("idx/" + file), bytes);
    const absl::Status status = OpenDataset(TestPath("idx")).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr(file));
    return std::string(status.message());
  };
  EXPECT_THAT(error_of("train-labels-idx1-ubyte", Idx({2}, {1, 0})), HasSubstr("3 images"));
  EXPECT_THAT(error_of("train-labels-idx1-ubyte", Idx({3}, {2, 0, 2})), HasSubstr("class 1"));
  Write(TestPath("idx/train-labels-idx1-ubyte"), labels);
  for (size_t size = 0; size < images.size(); ++size) {
    error_of("train-images-idx3-ubyte", images.substr(0, size));
  }
  EXPECT_THAT(error_of("train-images-idx3-ubyte", images + "g"), HasSubstr("22 bytes"));
  EXPECT_THAT(error_of("train-images-idx3-ubyte", labels), HasSubstr("0x00000801"));
  EXPECT_THAT(error_of("train-images-idx3-ubyte", Idx({0, 1, 2}, "")), HasSubstr("size 1 is 0"));
}

TEST(OpenDatasetTest, Cifar) {
  std::string record(1, 1);
  for (const char plane : {'r', 'g', 'b'}) record.append(1024, plane);
  Write(TestPath("cifar/data_batch_1.bin"), record);
  Write(TestPath("cifar/data_batch_2.bin"), std::string(1, 0) + record.substr(1) + record);
  Write(TestPath("cifar/batches.meta.txt"), "plane\ncar\n\n");
  const auto dataset = OpenDataset(TestPath("cifar"));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT((*dataset)->class_names(), ElementsAre("plane", "car"));
  EXPECT_THAT(Labels(**dataset), ElementsAre(1, 0, 1));
  EXPECT_EQ((*dataset)->name(2), "data_batch_2.bin#1");
  EXPECT_EQ(BytesOf(**dataset, 2).substr(0, 6), "rgbrgb");
  Write(TestPath("cifar/data_batch_2.bin"), record.substr(1));
  EXPECT_EQ(OpenDataset(TestPath("cifar")).status().code(), absl::StatusCode::kDataLoss);
}

TEST(OpenDatasetTest, BetonAndItsDamages) {
  const std::string jpeg = Text(MakeJpeg(16, 8, 1)), raw = "abcdefghijklmnopqr";
  const std::string path = TestPath("a.beton"), file = MakeBeton(jpeg, raw);
  Write(path, file);
  const auto dataset = OpenDataset(path);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(Labels(**dataset), ElementsAre(1, 0));
  EXPECT_EQ(BytesOf(**dataset, 0), jpeg);
  EXPECT_EQ(BytesOf(**dataset, 1), raw);

  for (size_t size = 0; size < file.size(); size += size < 3 * 4096 ? 97 : 1) {
    Write(path, file.substr(0, size));
    EXPECT_FALSE(OpenDataset(path).ok()) << size;
  }
  // In the allocation table: the pointer and the size of each sample, too large and overlapping.
  for (const size_t at : {3 * 4096 + 8, 3 * 4096 + 16, 3 * 4096 + 32, 3 * 4096 + 40}) {
    for (const uint64_t wrong : {uint64_t{0}, uint64_t{4096 + 7}, ~uint64_t{0}}) {
      std::string damaged = file;
      damaged.replace(at, 8, reinterpret_cast<const char*>(&wrong), 8);
      Write(path, damaged);
      EXPECT_FALSE(OpenDataset(path).ok()) << at << " " << wrong;
    }
  }
}

// Of samples by name, the fields' text; "-" for none.
std::vector<std::string> FieldTexts(const Dataset& dataset) {
  std::vector<std::string> texts;
  ScratchBuffer buffer;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const auto sample = dataset.Read(i, buffer);
    EXPECT_TRUE(sample.ok()) << sample.status();
    std::string& text = texts.emplace_back(dataset.name(i));
    for (const auto& field : sample->fields) {
      absl::StrAppend(&text, " ",
                      field.data() == nullptr ? "-" : std::string(field.begin(), field.end()));
    }
  }
  return texts;
}

TEST(OpenDatasetTest, FieldsOfFoldersArchivesAndTheirShardsAreTheSame) {
  const std::string a = Text(MakeJpeg(20, 10, 1)), b = Text(MakePng(10, 20, 2));
  const std::vector<std::pair<std::string, std::string>> files = {
      {"x/a.jpg", a}, {"x/a.json", "{}"}, {"x/a.txt", ""}, {"y/b.png", b}, {"y/b.json", "[1]"}};
  Write(TestPath("fields.tar"), MakeTar(files));
  for (const auto& [name, content] : files) Write(TestPath("fields/" + name), content);
  const std::vector<std::string> expected = {"x/a.jpg {} ", "y/b.png [1] -"};
  PackOptions pack;
  pack.shuffle = false;
  pack.sample.raw_fraction = 0.5;
  for (const std::string input : {"fields.tar", "fields"}) {
    const auto dataset = OpenDataset(TestPath(input), "auto", {.fields = {.all = true}});
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    EXPECT_EQ(FieldTexts(**dataset), expected);
    EXPECT_THAT(FieldTexts(**OpenDataset(TestPath(input))), ElementsAre("x/a.jpg", "y/b.png"));
    const std::string shards = TestPath(input + "-shards");
    ASSERT_TRUE(Pack(**dataset, shards, pack).ok());
    EXPECT_EQ(Pack(**dataset, shards, pack)->kept_shards, 1);
    EXPECT_EQ(FieldTexts(**OpenDataset(shards, "auto", {.fields = {.all = true}})), expected);
    EXPECT_THAT(FieldTexts(**OpenDataset(shards, "auto", {.fields = {.names = {"txt"}}})),
                ElementsAre("x/a.jpg ", "y/b.png -"));
    EXPECT_THAT(FieldTexts(**OpenDataset(shards)), ElementsAre("x/a.jpg", "y/b.png"));
    EXPECT_EQ(BytesOf(**OpenDataset(shards), 1), b);
    EXPECT_THAT(
        std::string(OpenDataset(shards, "auto", {.fields = {.names = {"cap"}}}).status().message()),
        HasSubstr("samples have no field cap; they have json, txt"));
  }
  // Another caption is another input.
  Write(TestPath("fields/x/a.txt"), "changed");
  const auto changed = OpenDataset(TestPath("fields"), "auto", {.fields = {.all = true}});
  EXPECT_EQ(Pack(**changed, TestPath("fields-shards"), pack).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(OpenDatasetTest, ShardsHoldWhatWasPackedWhateverTheNumberOfWorkers) {
  std::vector<Bytes> images;
  for (int i = 0; i < 30; ++i) images.push_back(MakeJpeg(40 + i, 30, i));
  images[7] = MakePng(12, 5, 7);
  images[9].resize(100);
  const MemoryDataset dataset = JpegDataset(std::move(images));
  PackOptions options;
  options.samples_per_shard = 8;
  options.skip_bad_samples = true;
  for (const int workers : {1, 3}) {
    options.workers = workers;
    const auto report = Pack(dataset, TestPath(absl::StrCat("packed", workers)), options);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->samples, 29);
    EXPECT_EQ(report->rejected.size(), 1);
    EXPECT_EQ(report->shards, 4);
  }
  for (const char* file :
       {"dataset.json", "00000.shard", "00001.shard", "00002.shard", "00003.shard"}) {
    EXPECT_EQ(*base::ReadFile(TestPath(absl::StrCat("packed1/", file))),
              *base::ReadFile(TestPath(absl::StrCat("packed3/", file))));
  }
  // Again: all is kept; with other options: refused.
  EXPECT_EQ(Pack(dataset, TestPath("packed1"), options)->kept_shards, 4);
  options.sample.quality = 50;
  EXPECT_EQ(Pack(dataset, TestPath("packed1"), options).status().code(),
            absl::StatusCode::kFailedPrecondition);

  const auto shards = OpenDataset(TestPath("packed3"));
  ASSERT_TRUE(shards.ok()) << shards.status();
  ASSERT_EQ((*shards)->size(), 29);
  for (int64_t i = 0; i < 29; ++i) {
    const int64_t original = std::stoi((*shards)->name(i).substr(5));
    EXPECT_EQ((*shards)->label(i), original % 2);
    EXPECT_FALSE(BytesOf(**shards, i).empty());
  }
}

// Every byte of a shard is covered: cut anywhere, or with any bit turned, it is refused when it is
// opened, or the damaged sample is when it is read, and the others are as they were.
TEST(OpenDatasetTest, EveryTruncationAndFlippedBitOfAShardIsFound) {
  const MemoryDataset dataset = JpegDataset({MakeJpeg(16, 16, 1), MakeJpeg(24, 8, 2)});
  const std::string folder = TestPath("bits"), path = folder + "/00000.shard";
  ASSERT_TRUE(Pack(dataset, folder, PackOptions()).ok());
  const std::string file = *base::ReadFile(path);
  const auto whole = OpenDataset(folder);
  ASSERT_TRUE(whole.ok()) << whole.status();
  const std::string contents[] = {BytesOf(**whole, 0), BytesOf(**whole, 1)};
  for (size_t size = 0; size < file.size(); ++size) {
    Write(path, file.substr(0, size));
    ASSERT_FALSE(OpenDataset(folder).ok()) << size;
  }
  for (size_t bit = 0; bit < 8 * file.size(); bit += 3) {
    std::string damaged = file;
    damaged[bit / 8] ^= 1 << bit % 8;
    Write(path, damaged);
    const auto opened = OpenDataset(folder);
    if (!opened.ok()) continue;
    int bad = 0;
    for (int64_t i = 0; i < 2; ++i) {
      ScratchBuffer buffer;
      const auto sample = (*opened)->Read(i, buffer);
      if (!sample.ok()) {
        ++bad;
      } else {
        EXPECT_TRUE(std::string(sample->bytes.begin(), sample->bytes.end()) == contents[i]) << bit;
      }
    }
    EXPECT_EQ(bad, 1) << bit;
  }
  // Opened before it was deleted, it stays readable.
  ASSERT_TRUE(base::WriteFileAtomically(path, "gone").ok());
  EXPECT_EQ(BytesOf(**whole, 1), contents[1]);
}

}  // namespace
}  // namespace data
