#include "tools/flags/jpeg_decoder_flag.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/codec/fake_jpeg_device.h"
#include "gflags/gflags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

DECLARE_string(jpeg_decoder);

namespace tools {
namespace {

using ::testing::HasSubstr;

int made = 0;
absl::Status error;

absl::StatusOr<std::shared_ptr<data::JpegDevice>> MakeFake() {
  if (!error.ok()) return error;
  ++made;
  return std::make_shared<data::FakeJpegDevice>();
}

TEST(JpegDecoderFlagTest, TheCpuNeedsNoDevice) {
  for (const c10::DeviceType device : {c10::DeviceType::CPU, c10::DeviceType::CUDA}) {
    EXPECT_TRUE(CheckJpegDecoder(device).ok());
    const auto found = JpegDeviceFromFlags(device);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, nullptr);
  }
}

TEST(JpegDecoderFlagTest, AProcessHasOneDeviceAsLongAsALoaderHasIt) {
  const gflags::FlagSaver saver;
  FLAGS_jpeg_decoder = "nvjpeg";
  EXPECT_THAT(CheckJpegDecoder(c10::DeviceType::CPU).message(),
              HasSubstr("--jpeg_decoder=nvjpeg: needs a network on the GPU"));
  if (data::LinkedJpegDevice() == nullptr) {
    EXPECT_THAT(CheckJpegDecoder(c10::DeviceType::CUDA).message(),
                HasSubstr("--jpeg_decoder=nvjpeg: this binary was built without"));
  }
  data::RegisterJpegDevice(&MakeFake);
  EXPECT_TRUE(CheckJpegDecoder(c10::DeviceType::CUDA).ok());
  EXPECT_EQ(made, 0);
  {
    const auto one = JpegDeviceFromFlags(c10::DeviceType::CUDA);
    const auto other = JpegDeviceFromFlags(c10::DeviceType::CUDA);
    ASSERT_TRUE(one.ok() && other.ok());
    EXPECT_EQ(*one, *other);
    EXPECT_EQ(made, 1);
  }
  EXPECT_TRUE(JpegDeviceFromFlags(c10::DeviceType::CUDA).ok());
  EXPECT_EQ(made, 2);
  error = absl::NotFoundError("no GPU here");
  EXPECT_EQ(JpegDeviceFromFlags(c10::DeviceType::CUDA).status(),
            absl::NotFoundError("--jpeg_decoder: no GPU here"));
}

}  // namespace
}  // namespace tools
