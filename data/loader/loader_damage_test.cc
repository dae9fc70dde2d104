// What damage and errors do to batches.
#include <errno.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "data/codec/fake_jpeg_device.h"
#include "data/codec/test_images.h"
#include "data/io/encoded_sample.h"
#include "data/io/little_endian.h"
#include "data/io/sample_field.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/loader.h"
#include "data/loader/test_batches.h"
#include "data/sources/dataset.h"
#include "data/sources/test_datasets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LoaderTest, ADamagedImageLeavesItsCompanionAsItIs) {
  const MemoryDataset dataset = SmallImages(8, {3});
  LoaderOptions options;
  options.global_batch = 8;
  options.order = Order::kSequential;
  options.mixing.mixup = 1;
  options.on_bad_sample = LoaderOptions::OnBadSample::kSkip;
  const auto loader = Loader::Create(dataset, options);
  ASSERT_TRUE(loader.ok()) << loader.status();
  const auto batch = (*loader)->Next();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(batch->sample_ids, ElementsAre(0, 1, 2, 4, 5, 6, 7));
  EXPECT_EQ(batch->label_shares[2], 1);
  EXPECT_EQ(batch->other_labels[2], batch->labels[2]);
  EXPECT_EQ(batch->label_shares[3], batch->label_shares[4]);
}

TEST(LoaderTest, ADeviceThatFailsIsNotSkippedOver) {
  const MemoryDataset dataset = SmallImages(4);
  const auto device = std::make_shared<FakeJpegDevice>();
  device->decode = absl::UnavailableError("the device is lost");
  LoaderOptions options = TrainOptions(4);
  options.on_bad_sample = LoaderOptions::OnBadSample::kSkip;
  options.jpeg_device = device;
  const auto loader = Loader::Create(dataset, options);
  const absl::Status status = (*loader)->Next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("): the device is lost"));
}

TEST(LoaderTest, ABadSampleIsNamedAndTheLoaderGoesOn) {
  const MemoryDataset dataset = SmallImages(6, {3});
  LoaderOptions options = TrainOptions(2);
  options.order = Order::kSequential;
  const auto loader = Loader::Create(dataset, options);
  EXPECT_TRUE((*loader)->Next().ok());
  const absl::Status bad = (*loader)->Next().status();
  EXPECT_EQ(bad.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(bad.message()), HasSubstr("sample 3 (image3)"));
  const auto next = (*loader)->Next();
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_THAT(next->sample_ids, ElementsAre(4, 5));
}

TEST(LoaderTest, FieldsStayWithTheirSamples) {
  constexpr int kCount = 12;
  std::vector<Bytes> jpegs;
  std::vector<EncodedSample> samples(kCount);
  std::vector<std::string> texts, numbers;
  for (int64_t i = 0; i < kCount; ++i) {
    jpegs.push_back(MakeJpeg(32, 32, i));
    texts.push_back(absl::StrCat("text ", i));
    numbers.emplace_back(reinterpret_cast<const char*>(&i), sizeof(i));
  }
  const auto bytes = [](const std::string& text) {
    return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  for (int i = 0; i < kCount; ++i) samples[i].fields = {bytes(texts[i]), bytes(numbers[i])};
  samples[5].fields[0] = {};
  jpegs[3].resize(jpegs[3].size() / 2);
  const MemoryDataset dataset(samples, jpegs, {{"text"}, {"number", FieldType::kInt64}});
  LoaderOptions options = TrainOptions(6);
  options.on_bad_sample = LoaderOptions::OnBadSample::kSkip;
  options.threads = 3;
  const auto loader = Loader::Create(dataset, options);
  ASSERT_TRUE(loader.ok()) << loader.status();
  for (int step = 0; step < 6; ++step) {
    const auto batch = (*loader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    const size_t count = batch->sample_ids.size();
    ASSERT_EQ(batch->fields.size(), 2);
    ASSERT_EQ(batch->fields[0].bytes().size(), count);
    ASSERT_EQ(batch->fields[1].numbers().size(), count * sizeof(int64_t));
    for (size_t i = 0; i < count; ++i) {
      const int64_t id = batch->sample_ids[i];
      EXPECT_EQ(batch->fields[0].bytes()[i],
                id == 5 ? std::nullopt : std::optional<std::string>(texts[id]));
      EXPECT_EQ(LoadLittle<int64_t>(&batch->fields[1].numbers()[i * sizeof(int64_t)]), id);
    }
  }
}

TEST(LoaderTest, SkippedSamplesLeaveNoGapAndAreListedOnce) {
  const MemoryDataset good = SmallImages(8), damaged = SmallImages(8, {0, 5});
  LoaderOptions options = TrainOptions(4);
  options.order = Order::kSequential;
  const std::vector<Content> expected = ReadBatches(good, options, 1, 2);
  options.on_bad_sample = LoaderOptions::OnBadSample::kSkip;
  const auto loader = Loader::Create(damaged, options);
  for (int i = 0; i < 4; ++i) {
    const auto batch = (*loader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->global_size, 4);
    ASSERT_EQ(batch->labels.size(), 3);
    if (i >= 2) continue;
    for (int j = 0; j < 3; ++j) {
      const int64_t id = batch->sample_ids[j], place = id % 4;
      EXPECT_EQ(batch->labels[j], expected[i].labels[place]);
      const auto pixels = expected[i].pixels.begin() + place * 3072;
      EXPECT_TRUE(std::equal(pixels, pixels + 3072, batch->floats() + j * 3072)) << id;
    }
  }
  EXPECT_EQ((*loader)->skipped_count(), 2);
  const std::vector<SkippedSample> skipped = (*loader)->skipped_samples();
  ASSERT_EQ(skipped.size(), 2);
  EXPECT_EQ(skipped[0].id, 0);
  EXPECT_EQ(skipped[1].id, 5);
  EXPECT_EQ(skipped[1].name, "image5");
  EXPECT_THAT(skipped[1].reason, HasSubstr("sample 5 (image5): "));
}

TEST(LoaderTest, ABatchMayBeEmptyWhereAllIsDamaged) {
  const MemoryDataset damaged = SmallImages(4, {0, 1, 2, 3});
  LoaderOptions options = TrainOptions(4);
  options.on_bad_sample = LoaderOptions::OnBadSample::kSkip;
  const auto loader = Loader::Create(damaged, options);
  const auto batch = (*loader)->Next();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->labels.size(), 0);
  EXPECT_EQ(batch->skipped, 4);
  EXPECT_EQ(batch->global_size, 4);
  EXPECT_EQ((*loader)->skipped_count(), 4);
}

// A dataset whose disk fails at one sample.
class FailingDataset : public Dataset {
 public:
  FailingDataset(const Dataset& good, absl::Status error) : good_(good), error_(error) {}

  int64_t size() const override { return good_.size(); }
  const std::vector<std::string>& class_names() const override { return good_.class_names(); }
  int64_t label(int64_t index) const override { return good_.label(index); }
  std::string name(int64_t index) const override { return good_.name(index); }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override {
    if (index == 3) return error_;
    return good_.Read(index, buffer);
  }

 private:
  const Dataset& good_;
  const absl::Status error_;
};

TEST(LoaderTest, OnlyDamageIsSkipped) {
  const MemoryDataset good = SmallImages(4);
  LoaderOptions options = TrainOptions(4);
  options.on_bad_sample = LoaderOptions::OnBadSample::kSkip;
  const auto error = [&](const absl::Status& status) {
    const FailingDataset dataset(good, status);
    const auto loader = Loader::Create(dataset, options);
    const absl::Status result = (*loader)->Next().status();
    EXPECT_EQ((*loader)->skipped_count(), result.ok() ? 1 : 0);
    return result;
  };
  EXPECT_TRUE(error(absl::DataLossError("cut")).ok());
  for (const int system : {EIO, ENOENT, EACCES, ESTALE, EMFILE, ENOMEM, ENODEV, ETIMEDOUT}) {
    const absl::Status status = error(absl::ErrnoToStatus(system, "cannot read"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("sample 3 (image3): cannot read"))
        << system;
  }
}

}  // namespace
}  // namespace data
