#include "data/codec/fake_jpeg_device.h"

#include <cstddef>
#include <cstring>

#include "absl/types/span.h"
#include "base/status_macros.h"
#include "data/codec/jpeg_decoder.h"
#include "data/codec/jpeg_header.h"
#include "data/codec/shrink_pixels.h"
#include "data/io/encoded_sample.h"
#include "data/pixels/pixel_region.h"

namespace data {
namespace {

constexpr int kSpoiled = 4;  // pixels along an edge of a part
constexpr int kDamaged = 128;

class FakeLane : public JpegLane {
 public:
  explicit FakeLane(FakeJpegDevice* device) : device_(*device) {}

  absl::Status Parse(absl::Span<const uint8_t> jpeg) override {
    RETURN_IF_ERROR(device_.parse);
    ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(jpeg));
    sample_ = {};
    sample_.bytes = jpeg;
    sample_.width = header.width;
    sample_.height = header.height;
    return absl::OkStatus();
  }

  absl::StatusOr<bool> CanDecodePart(const Rect& part) override {
    if (part.x < 0 || part.y < 0 || part.x + part.width > sample_.width ||
        part.y + part.height > sample_.height || part.width < 1 || part.height < 1) {
      return absl::InternalError("the part is not in the image");
    }
    return device_.decodes_parts;
  }

  absl::Status Decode(const Rect& part, uint8_t* rgb) override {
    RETURN_IF_ERROR(device_.decode);
    const auto decoded = decoder_.Decode(sample_, {0, 0, sample_.width, sample_.height});
    if (!decoded.ok()) {
      std::memset(rgb, kDamaged, size_t{3} * part.width * part.height);
      return absl::OkStatus();
    }
    const PixelRegion& all = *decoded;
    for (int y = part.y; y < part.y + part.height; ++y) {
      for (int x = part.x; x < part.x + part.width; ++x, rgb += 3) {
        std::memcpy(rgb, all.pixels + y * all.stride + size_t{4} * x, 3);
        if (IsSpoiled(part, x, y)) rgb[0] ^= 0x80;
      }
    }
    device_.pixels += int64_t{part.width} * part.height;
    return absl::OkStatus();
  }

  absl::Status Shrink(const ShrinkJob& job, uint8_t* rgbx) override {
    for (int y = 0; y < job.target.height; ++y) {
      for (int x = 0; x < job.target.width; ++x) ShrinkPixel(job, x, y, rgbx);
    }
    return absl::OkStatus();
  }

  absl::Status Fetch(const uint8_t* from, size_t bytes, uint8_t* to) override {
    RETURN_IF_ERROR(device_.fetch);
    std::memcpy(to, from, bytes);
    return absl::OkStatus();
  }

  absl::StatusOr<uint8_t*> Allocate(Memory where, size_t bytes) override {
    ++device_.allocations;
    ++device_.allocated;
    return new uint8_t[bytes];
  }

  void Free(Memory where, uint8_t* memory) override {
    --device_.allocated;
    delete[] memory;
  }

 private:
  bool IsSpoiled(const Rect& part, int x, int y) const {
    const int right = part.x + part.width, bottom = part.y + part.height;
    return (part.x > 0 && x < part.x + kSpoiled) || (part.y > 0 && y < part.y + kSpoiled) ||
           (right < sample_.width && x >= right - kSpoiled) ||
           (bottom < sample_.height && y >= bottom - kSpoiled);
  }

  FakeJpegDevice& device_;
  JpegDecoder decoder_;
  EncodedSample sample_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<JpegLane>> FakeJpegDevice::NewLane() {
  RETURN_IF_ERROR(new_lane);
  return std::make_unique<FakeLane>(this);
}

}  // namespace data
