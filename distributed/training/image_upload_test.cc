// On the CPU, and on a CUDA device where there is one.
#include "distributed/training/image_upload.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/Context.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/randint.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

constexpr data::Normalization kNormalization = {.mean = {0.485f, 0.456f, 0.406f},
                                                .std = {0.229f, 0.224f, 0.225f}};
constexpr int kHeight = 13, kWidth = 9;

at::Tensor Bytes(int64_t images, uint64_t seed) {
  return at::randint(0, 256, {images, kHeight, kWidth, 3}, at::detail::createCPUGenerator(seed),
                     at::kByte);
}

// What the loader writes on the CPU.
at::Tensor Expected(const at::Tensor& bytes, const std::vector<data::Rect>& erased) {
  const data::PixelWriter writer(data::PixelFormat::kFloat32Nchw, kNormalization, kWidth, kHeight);
  at::Tensor images = at::empty({bytes.size(0), 3, kHeight, kWidth}, at::kFloat);
  std::vector<int32_t> row(4 * kWidth);
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    auto* const image = static_cast<uint8_t*>(images[i].mutable_data_ptr());
    for (int y = 0; y < kHeight; ++y) {
      const uint8_t* from = bytes[i][y].const_data_ptr<uint8_t>();
      for (int x = 0; x < kWidth; ++x) {
        for (int c = 0; c < 3; ++c) row[4 * x + c] = from[3 * x + c] << data::kPixelShift;
      }
      writer.WriteRow(row.data(), y, image);
    }
    if (!erased.empty()) writer.Erase(erased[i], image);
  }
  return images;
}

class ImageUploadTest : public testing::TestWithParam<c10::DeviceType> {
 protected:
  void SetUp() override {
    if (GetParam() == c10::kCUDA && !at::globalContext().hasCUDA()) {
      GTEST_SKIP() << "no CUDA device";
    }
  }
};

TEST_P(ImageUploadTest, IsWhatTheLoaderWrites) {
  ImageUpload upload(GetParam(), kNormalization);
  const at::Tensor bytes = Bytes(4, 1);
  const std::vector<std::vector<data::Rect>> erasures = {
      {}, std::vector<data::Rect>(4), {{0, 0, 3, 4}, {}, {7, 11, 2, 2}, {0, 0, kWidth, kHeight}}};
  for (const std::vector<data::Rect>& erased : erasures) {
    const at::Tensor images = upload.Finish(upload.Start(bytes, erased, nullptr));
    EXPECT_EQ(images.device().type(), GetParam());
    EXPECT_TRUE(at::equal(images.cpu(), Expected(bytes, erased)));
  }
  EXPECT_EQ(upload.Finish(upload.Start(Bytes(0, 1), {}, nullptr)).size(0), 0);
}

TEST_P(ImageUploadTest, EachByteHasOneValue) {
  ImageUpload upload(GetParam(), kNormalization);
  at::Tensor bytes = at::empty({3, kHeight, kWidth, 3}, at::kByte);  // More than 256 pixels.
  for (int64_t i = 0; i < bytes.numel(); ++i) bytes.mutable_data_ptr<uint8_t>()[i] = i / 3 % 256;
  EXPECT_TRUE(
      at::equal(upload.Finish(upload.Start(bytes, {}, nullptr)).cpu(), Expected(bytes, {})));
}

// Memory is used again as soon as nobody holds it: the images must have been read by then.
TEST_P(ImageUploadTest, HoldsMemoryUntilItIsCopied) {
  ImageUpload upload(GetParam(), kNormalization);
  std::vector<at::Tensor> images, expected;
  std::vector<std::weak_ptr<uint8_t>> owners;
  for (uint64_t batch = 0; batch < 20; ++batch) {
    const at::Tensor source = Bytes(64, batch);
    const std::shared_ptr<uint8_t> memory = upload.Allocate(source.numel());
    const at::Tensor bytes = at::from_blob(memory.get(), source.sizes(), at::kByte);
    bytes.copy_(source);
    // Spoils the memory when it is given back.
    std::shared_ptr<uint8_t> owner(memory.get(), [memory, size = source.numel()](uint8_t* at) {
      std::fill(at, at + size, 0);
    });
    owners.push_back(owner);
    ImageUpload::Pending pending = upload.Start(bytes, {}, std::move(owner));
    images.push_back(upload.Finish(std::move(pending)));
    expected.push_back(Expected(source, {}));
  }
  for (size_t i = 0; i < images.size(); ++i) EXPECT_TRUE(at::equal(images[i].cpu(), expected[i]));
  // All have been copied by now: the next one gives them back.
  upload.Finish(upload.Start(Bytes(1, 0), {}, nullptr));
  EXPECT_TRUE(owners.front().expired());
}

INSTANTIATE_TEST_SUITE_P(Devices, ImageUploadTest, testing::Values(c10::kCPU, c10::kCUDA),
                         [](const auto& info) { return c10::DeviceTypeName(info.param); });

}  // namespace
}  // namespace distributed
