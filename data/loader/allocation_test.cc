// In steady state an image costs no allocation: counted in a malloc of the test's own.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "data/codec/fake_jpeg_device.h"
#include "data/codec/jpeg_device.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/codec/test_images.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/preprocessor.h"
#include "data/loader/verified_samples.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/pixel_policy.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/random.h"
#include "data/sources/test_datasets.h"
#include "gtest/gtest.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_MALLOC 0  // the sanitizer's stays
#else
#define HAS_OWN_MALLOC 1
#endif

namespace {
thread_local int64_t allocations = 0;
}  // namespace

#if HAS_OWN_MALLOC
extern "C" void* __libc_malloc(size_t size);
extern "C" void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
#endif

namespace data {
namespace {

// Of several sizes and samplings; as a shard has them, or as a folder has them.
MemoryDataset Photos(bool packed) {
  std::vector<EncodedSample> samples;
  std::vector<Bytes> bytes;
  static auto* const transcoded = new std::vector<RestartJpeg>();  // the samples point into it
  transcoded->reserve(12);
  for (int i = 0; i < 12; ++i) {
    JpegOptions options;
    options.sampling_across = 1 + i % 2;
    options.sampling_down = 1 + i / 2 % 2;
    Bytes jpeg = MakeJpeg(100 + 40 * i, 500 - 30 * i, i, options);
    EncodedSample sample;
    if (packed) {
      transcoded->push_back(*TranscodeJpeg(jpeg));
      jpeg = transcoded->back().bytes;
      sample.restarts = transcoded->back().restarts();
      sample.width = 100 + 40 * i;
      sample.height = 500 - 30 * i;
      sample.verified = true;
    }
    samples.push_back(sample);
    bytes.push_back(std::move(jpeg));
  }
  return MemoryDataset(std::move(samples), std::move(bytes));
}

TEST(AllocationTest, NoneForAnImageOnceTheBuffersHaveGrown) {
  if (!HAS_OWN_MALLOC) GTEST_SKIP() << "the sanitizer has the allocator";
  Augmentation changed = ImageNetTrain();
  changed.policy = {.brightness = 0.4, .hue = 0.2, .kind = PixelPolicy::Kind::kRandAugment};
  const auto device = std::make_shared<FakeJpegDevice>();
  using Case = std::tuple<bool, Augmentation, std::shared_ptr<JpegDevice>>;
  for (const auto& [packed, augmentation, jpeg_device] :
       {Case(false, ImageNetTrain(), nullptr), Case(true, ImageNetTrain(), nullptr),
        Case(true, changed, nullptr), Case(false, ImageNetTrain(), device),
        Case(true, ImageNetTrain(), device)}) {
    const MemoryDataset dataset = Photos(packed);
    VerifiedSamples verified(dataset.size());
    Preprocessor preprocessor(augmentation, PixelFormat::kFloat32Nchw, &verified, jpeg_device);
    std::vector<uint8_t> image(preprocessor.image_size());
    ScratchBuffer buffer;
    const auto run = [&] {
      const int64_t before = allocations;
      for (int epoch = 0; epoch < 8; ++epoch) {
        for (int64_t i = 0; i < dataset.size(); ++i) {
          const absl::Status status = preprocessor.Run(dataset, dataset.Read(i, buffer), i,
                                                       Random(1, epoch, i), image.data());
          EXPECT_TRUE(status.ok()) << status;
        }
      }
      return allocations - before;
    };
    EXPECT_GT(run(), 0);
    EXPECT_EQ(run(), 0);
  }
}

}  // namespace
}  // namespace data
