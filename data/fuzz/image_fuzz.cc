// A JPEG or PNG as a folder has it: nothing is known of it, and it was never decoded.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "data/codec/exif.h"
#include "data/codec/fake_jpeg_device.h"
#include "data/codec/image_decoder.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/fuzz/decode_all.h"
#include "data/io/encoded_sample.h"
#include "data/sources/image_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static auto* decoder = new data::ImageDecoder();
  static auto* on_device = new data::ImageDecoder(std::make_shared<data::FakeJpegDevice>());
  data::EncodedSample sample;
  sample.bytes = absl::MakeSpan(bytes, size);
  sample.encoding = data::SniffEncoding(sample.bytes);
  data::Decode(sample, *decoder);
  data::Decode(sample, *on_device);
  data::ExifOrientation(sample.bytes);
  (void)data::TranscodeJpeg(sample.bytes);
  return 0;
}
