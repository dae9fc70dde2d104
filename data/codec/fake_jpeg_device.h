// A JpegDevice on the processor, which decodes with libjpeg: for tests of what surrounds a device.
// As nvJPEG it is lenient: of a damaged JPEG it gives some pixels, which are gray.
#ifndef DATA_CODEC_FAKE_JPEG_DEVICE_H_
#define DATA_CODEC_FAKE_JPEG_DEVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/codec/jpeg_device.h"

namespace data {

class FakeJpegDevice : public JpegDevice {
 public:
  absl::StatusOr<std::unique_ptr<JpegLane>> NewLane() override;

  // Whether it decodes parts. As nvJPEG's may, such a part has wrong pixels up to 4 from an edge
  // that is none of the JPEG.
  bool decodes_parts = true;
  // What its calls return instead of what they would.
  absl::Status new_lane, parse, decode, fetch;

  // Counted over all lanes.
  std::atomic<int64_t> allocations = 0;
  std::atomic<int64_t> allocated = 0;  // and not freed yet
  std::atomic<int64_t> pixels = 0;     // that Decode has written
};

}  // namespace data

#endif  // DATA_CODEC_FAKE_JPEG_DEVICE_H_
