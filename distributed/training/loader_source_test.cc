#include "distributed/training/loader_source.h"

#include <memory>
#include <utility>
#include <vector>

#include "ATen/ops/equal.h"
#include "data/codec/test_images.h"
#include "data/sources/test_datasets.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

// Of 20 images, those in `bad` are cut short.
data::MemoryDataset Images(const std::vector<int>& bad = {}) {
  std::vector<data::Bytes> jpegs;
  for (int i = 0; i < 20; ++i) jpegs.push_back(data::MakeJpeg(32, 32, i));
  for (const int i : bad) jpegs[i].resize(jpegs[i].size() / 2);
  return data::JpegDataset(std::move(jpegs));
}

// Shifted and mirrored, not resized: every value is a whole number before it is normalized.
data::LoaderOptions Options() {
  data::LoaderOptions options;
  options.global_batch = 8;
  options.seed = 5;
  options.augmentation = data::CifarTrain();
  options.augmentation.cutout = 8;
  options.on_bad_sample = data::LoaderOptions::OnBadSample::kSkip;
  return options;
}

void ExpectNextIsSame(LoaderSource& a, LoaderSource& b) {
  const absl::StatusOr<Batch> one = a.Next(), other = b.Next();
  ASSERT_TRUE(one.ok() && other.ok()) << one.status() << other.status();
  EXPECT_TRUE(at::equal(one->sample_ids, other->sample_ids));
  EXPECT_TRUE(at::equal(one->labels, other->labels));
  EXPECT_TRUE(at::equal(one->images, other->images));
  EXPECT_EQ(one->global_count, other->global_count);
  EXPECT_EQ(one->loss_weight, other->loss_weight);
}

TEST(LoaderSourceTest, UploadedImagesAreTheSame) {
  const data::MemoryDataset dataset = Images(/*bad=*/{3, 11});
  const auto floats = *LoaderSource::Create(dataset, Options());
  const auto uploaded = *LoaderSource::CreateUploading(dataset, Options(), c10::kCPU);
  for (int i = 0; i < 5; ++i) ExpectNextIsSame(*floats, *uploaded);
  // The next one is under way: taken, left, or put back.
  for (const auto& [epoch, step] : {std::pair(2, 1), {0, 1}, {7, 0}, {7, 1}}) {
    ASSERT_TRUE(floats->Seek(epoch, step).ok());
    ASSERT_TRUE(uploaded->Seek(epoch, step).ok());
    ExpectNextIsSame(*floats, *uploaded);
  }
  uploaded->Pause();
  for (int i = 0; i < 3; ++i) ExpectNextIsSame(*floats, *uploaded);
}

TEST(LoaderSourceTest, AnErrorComesInItsPlace) {
  const data::MemoryDataset dataset = Images(/*bad=*/{11});
  data::LoaderOptions options = Options();
  options.order = data::Order::kSequential;
  options.on_bad_sample = data::LoaderOptions::OnBadSample::kFail;
  const auto uploaded = *LoaderSource::CreateUploading(dataset, options, c10::kCPU);
  EXPECT_TRUE(uploaded->Next().ok());
  EXPECT_EQ(uploaded->Next().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(uploaded->Next().ok());
}

}  // namespace
}  // namespace distributed
