// Files with more fields than an image and a label, laid out as FFCV's writer does.
#include "data/sources/beton_dataset.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "data/io/little_endian.h"
#include "data/io/sample_field.h"
#include "data/io/scratch_buffer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kPage = 4096;

std::string Numbers(const std::vector<float>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
}

// Two samples of 2x1 raw pixels with the fields caption (bytes), image, score (float), label,
// index (integer), meta (JSON) and boxes (array).
struct Writer {
  std::vector<std::string> captions = {"a cat", ""};
  std::string array_type = R"([["", "<f4"]])";
  uint8_t last_type = 4;
  std::vector<uint64_t> array_shape = {2, 2};

  std::string file() const {
    std::string file;
    AppendLittle<uint16_t>(file, 2);
    AppendLittle<uint16_t>(file, 7);
    AppendLittle<uint32_t>(file, kPage);
    AppendLittle<uint64_t>(file, 2);
    const size_t data = 2 * kPage;
    std::string pages, allocations, rows;
    const auto allocate = [&](uint64_t sample, const std::string& bytes) {
      const uint64_t at = data + pages.size();
      pages += bytes;
      for (const uint64_t number : {sample, at, uint64_t{bytes.size()}}) {
        AppendLittle(allocations, number);
      }
      return at;
    };
    for (uint64_t i = 0; i < 2; ++i) {
      AppendLittle(rows, allocate(i, captions[i]));
      AppendLittle<uint64_t>(rows, captions[i].size());
      AppendLittle<uint8_t>(rows, 1);
      AppendLittle<uint16_t>(rows, 2);
      AppendLittle<uint16_t>(rows, 1);
      AppendLittle(rows, allocate(i, i == 0 ? "rgbRGB" : "ABCabc"));
      rows.append(3, '\0');
      AppendLittle<double>(rows, 0.5 + i);
      AppendLittle<int64_t>(rows, 1 - i);
      AppendLittle<int64_t>(rows, 100 + i);
      const std::string meta = absl::StrCat(R"({"i": )", i, "}") + '\0';
      AppendLittle(rows, allocate(i, meta));
      AppendLittle<uint64_t>(rows, meta.size());
      const float first = i;
      AppendLittle(rows, allocate(i, Numbers({first, 1, 2, 3})));
    }
    AppendLittle<uint64_t>(file, data + kPage);
    for (const auto& [type, name] : {std::pair(3, "caption"),
                                     {2, "image"},
                                     {0, "score"},
                                     {1, "label"},
                                     {1, "index"},
                                     {5, "meta"},
                                     {static_cast<int>(last_type), "boxes"}}) {
      std::string description(1, static_cast<char>(type));
      description += name;
      description.resize(17);
      if (type == 4) {
        for (const uint64_t extent : array_shape) AppendLittle(description, extent);
        description.resize(17 + 32 * 8);
        AppendLittle<uint64_t>(description, array_type.size());
        description += array_type;
      }
      description.resize(1041);
      file += description;
    }
    file += rows;
    file.resize(data);
    file += pages;
    file.resize(data + kPage);
    return file + allocations;
  }
};

absl::StatusOr<std::unique_ptr<BetonDataset>> Open(const std::string& file,
                                                   const FieldChoice& fields = {.all = true}) {
  const std::string path = absl::StrCat(getenv("TEST_TMPDIR"), "/fields.beton");
  EXPECT_TRUE(base::WriteFileAtomically(path, file).ok());
  return BetonDataset::Open(path, {.fields = fields});
}

std::vector<std::string> FieldsOf(const Dataset& dataset, int64_t index) {
  ScratchBuffer buffer;
  const auto sample = dataset.Read(index, buffer);
  EXPECT_TRUE(sample.ok()) << sample.status();
  std::vector<std::string> fields = {std::string(sample->bytes.begin(), sample->bytes.end())};
  for (const auto& field : sample->fields) fields.emplace_back(field.begin(), field.end());
  return fields;
}

std::string Little(auto value) {
  std::string bytes;
  AppendLittle(bytes, value);
  return bytes;
}

TEST(BetonDatasetTest, FieldsAreNumbersBytesAndArrays) {
  const auto dataset = Open(Writer().file());
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(DescribeFields((*dataset)->fields()),
            "caption, score (float64), index (int64), meta, boxes (float32 2x2)");
  EXPECT_THAT(Labels(**dataset), ElementsAre(1, 0));
  EXPECT_THAT(FieldsOf(**dataset, 0),
              ElementsAre("rgbRGB", "a cat", Little(0.5), Little(int64_t{100}), R"({"i": 0})",
                          Numbers({0, 1, 2, 3})));
  EXPECT_THAT(FieldsOf(**dataset, 1), ElementsAre("ABCabc", "", Little(1.5), Little(int64_t{101}),
                                                  R"({"i": 1})", Numbers({1, 1, 2, 3})));
}

TEST(BetonDatasetTest, ThoseAskedForComeInTheOrderAskedFor) {
  const auto dataset = Open(Writer().file(), {.names = {"meta", "index"}});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(FieldsOf(**dataset, 1), ElementsAre("ABCabc", R"({"i": 1})", Little(int64_t{101})));
  EXPECT_THAT(FieldsOf(**Open(Writer().file(), {}), 1), ElementsAre("ABCabc"));
  EXPECT_THAT(std::string(Open(Writer().file(), {.names = {"txt"}}).status().message()),
              HasSubstr("no field txt; they have caption, score"));
}

TEST(BetonDatasetTest, WhatIsNotReadIsNamed) {
  EXPECT_THAT(std::string(Open(Writer{.array_type = R"([["", "<c8"]])"}.file()).status().message()),
              HasSubstr("field 6, boxes, is an array of <c8, which is not read"));
  EXPECT_THAT(std::string(Open(Writer{.array_type = "[["}.file()).status().message()),
              HasSubstr("field 6, boxes, is an array of no simple type"));
  EXPECT_THAT(std::string(Open(Writer{.last_type = 255}.file()).status().message()),
              HasSubstr("field 6, boxes, is of type 255, which is not read"));
  EXPECT_THAT(std::string(Open(Writer{.last_type = 2}.file()).status().message()),
              HasSubstr("field 6, boxes, is a second image"));
}

// Rows begin at 24 + 7 * 1041; the pointer and size of the caption, then those of meta.
TEST(BetonDatasetTest, PointersThatNoAllocationHasAreDamage) {
  const std::string good = Writer().file();
  for (const size_t at : {0, 8, 56, 64, 72}) {
    std::string file = good;
    file[24 + 7 * 1041 + at] ^= 1;
    EXPECT_EQ(Open(file).status().code(), absl::StatusCode::kDataLoss) << at;
  }
  for (size_t size = good.size() - 10 * 24; size < good.size(); ++size) {
    EXPECT_EQ(Open(good.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
}

}  // namespace
}  // namespace data
