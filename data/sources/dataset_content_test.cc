#include "data/sources/dataset_content.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/codec/test_images.h"
#include "data/sources/test_datasets.h"
#include "gtest/gtest.h"

namespace data {
namespace {

MemoryDataset Images(int seed = 0) {
  return JpegDataset({MakeJpeg(16, 16, seed), MakeJpeg(16, 8, 1), MakePng(9, 9, 2)});
}

// Images(), but for what a test changes.
class ChangedDataset : public Dataset {
 public:
  int64_t size() const override { return images.size(); }
  const std::vector<std::string>& class_names() const override { return classes; }
  int64_t label(int64_t index) const override { return (index + shift) % 2; }
  std::string name(int64_t index) const override { return images.name(index); }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override {
    if (index == 1 && !error.ok()) return error;
    return images.Read(index, buffer);
  }

  MemoryDataset images = Images();
  std::vector<std::string> classes = {"even", "odd"};
  int shift = 0;
  absl::Status error;
};

TEST(DatasetContentTest, IsThatOfACopy) {
  const auto content = DatasetContent(Images(), /*threads=*/1);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(*DatasetContent(Images(), /*threads=*/3), *content);
  EXPECT_EQ(*DatasetContent(ChangedDataset(), /*threads=*/2), *content);
}

TEST(DatasetContentTest, OtherPixelsLabelsOrNamesAreOtherContent) {
  const uint64_t content = *DatasetContent(Images(), 1);
  EXPECT_NE(*DatasetContent(Images(/*seed=*/7), 1), content);
  ChangedDataset labels, names, damaged;
  labels.shift = 1;
  names.classes[0] = "level";
  damaged.error = absl::DataLossError("cut");
  EXPECT_NE(*DatasetContent(labels, 1), content);
  EXPECT_NE(*DatasetContent(names, 1), content);
  EXPECT_NE(*DatasetContent(damaged, 1), content);
}

TEST(DatasetContentTest, WhatCannotBeReadIsAnError) {
  ChangedDataset dataset;
  dataset.error = absl::PermissionDeniedError("cannot open");
  EXPECT_EQ(DatasetContent(dataset, 2).status(), dataset.error);
}

}  // namespace
}  // namespace data
