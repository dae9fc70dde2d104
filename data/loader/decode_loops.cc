#include "data/loader/decode_loops.h"

#include <turbojpeg.h>

#include "absl/cleanup/cleanup.h"
#include "data/codec/jpeg_error.h"
#include "data/codec/libjpeg.h"
#include "data/pixels/pixel_region.h"

namespace data {

FullDecodeLoop::FullDecodeLoop(const Augmentation& augmentation, PixelFormat format)
    : decoder_(tjInitDecompress()),
      writer_(format, augmentation.normalization, augmentation.size, augmentation.size),
      image_(writer_.image_size()) {}

FullDecodeLoop::~FullDecodeLoop() { tjDestroy(decoder_); }

absl::Status FullDecodeLoop::Run(const EncodedSample& jpeg, const View& view) {
  PixelRegion region;
  region.rect = {0, 0, jpeg.width, jpeg.height};
  region.stride = size_t{4} * jpeg.width;
  uint8_t* const pixels = pixels_.Reserve(region.stride * jpeg.height + kPixelPadding);
  if (tjDecompress2(decoder_, jpeg.bytes.data(), jpeg.bytes.size(), pixels, jpeg.width, 0,
                    jpeg.height, TJPF_RGBX, 0) != 0) {
    return absl::DataLossError(tjGetErrorStr2(decoder_));
  }
  region.pixels = pixels;
  const Rect& crop = view.source;
  resizer_.Resize(region, Area(crop.x, crop.y, crop.width, crop.height), view.mirror, writer_,
                  image_.data());
  return absl::OkStatus();
}

absl::Status DecodeEntropy(const EncodedSample& sample) {
  JpegErrorHandler errors;
  jpeg_decompress_struct jpeg;
  jpeg.err = errors.manager();
  jpeg_create_decompress(&jpeg);
  const absl::Cleanup destroy = [&jpeg] { jpeg_destroy_decompress(&jpeg); };
  return errors.Run([&] {
    jpeg_mem_src(&jpeg, sample.bytes.data(), sample.bytes.size());
    jpeg_read_header(&jpeg, TRUE);
    jpeg_start_decompress(&jpeg);
    // To skip the last row too would end the image before it is looked at.
    jpeg_skip_scanlines(&jpeg, jpeg.output_height - 1);
  });
}

}  // namespace data
