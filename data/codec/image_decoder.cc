#include "data/codec/image_decoder.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/codec/jpeg_header.h"
#include "data/codec/png_decoder.h"

namespace data {
namespace {

absl::StatusOr<PixelRegion> CopyRaw(const EncodedSample& sample, const Rect& rect,
                                    ScratchBuffer& buffer) {
  if (sample.bytes.size() != size_t{3} * sample.width * sample.height) {
    return absl::DataLossError(absl::StrCat(sample.bytes.size(), " bytes for ", sample.width, "x",
                                            sample.height, " raw pixels"));
  }
  PixelRegion region;
  region.rect = rect;
  region.stride = size_t{4} * rect.width;
  uint8_t* to = buffer.Reserve(region.stride * rect.height + kPixelPadding);
  region.pixels = to;
  for (int y = rect.y; y < rect.y + rect.height; ++y) {
    const uint8_t* from = sample.bytes.data() + 3 * (size_t(y) * sample.width + rect.x);
    for (int x = 0; x < rect.width; ++x, from += 3, to += 4) {
      to[0] = from[0];
      to[1] = from[1];
      to[2] = from[2];
      to[3] = 0;
    }
  }
  return region;
}

}  // namespace

ImageDecoder::ImageDecoder(std::shared_ptr<JpegDevice> device) {
  if (device != nullptr) device_.emplace(std::move(device));
}

absl::Status ImageDecoder::FindSize(EncodedSample& sample) {
  if (sample.width > 0) return absl::OkStatus();
  if (sample.encoding == Encoding::kPng) {
    ASSIGN_OR_RETURN(const Rect size, ReadPngSize(sample.bytes));
    sample.width = size.width;
    sample.height = size.height;
  } else {
    ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(sample.bytes));
    sample.width = header.width;
    sample.height = header.height;
  }
  return absl::OkStatus();
}

int ImageDecoder::Log2Shrink(Encoding encoding, const Rect& crop, int side) {
  constexpr int kMaxShrink = 3;
  if (encoding != Encoding::kJpeg) return 0;
  int shrink = 0;
  while (shrink < kMaxShrink && crop.width >> (shrink + 1) >= side &&
         crop.height >> (shrink + 1) >= side) {
    ++shrink;
  }
  return shrink;
}

absl::StatusOr<PixelRegion> ImageDecoder::Decode(const EncodedSample& sample, const Rect& rect,
                                                 int log2_shrink) {
  switch (sample.encoding) {
    case Encoding::kRawRgb:
      return CopyRaw(sample, rect, pixels_);
    case Encoding::kPng: {
      ASSIGN_OR_RETURN(const PixelRegion region, DecodePng(sample.bytes, pixels_));
      if (region.rect.width != sample.width || region.rect.height != sample.height) {
        return absl::DataLossError(absl::StrCat("is ", region.rect.width, "x", region.rect.height,
                                                " pixels, not ", sample.width, "x", sample.height));
      }
      return region;
    }
    case Encoding::kJpeg:
      break;
  }
  return DecodeJpeg(sample, rect, log2_shrink);
}

absl::StatusOr<PixelRegion> ImageDecoder::DecodeJpeg(const EncodedSample& sample, const Rect& rect,
                                                     int log2_shrink) {
  if (!device_.has_value() || !device_->MayTake(sample)) {
    return jpeg_.Decode(sample, rect, log2_shrink);
  }
  // Pixels must not depend on whether a sample was seen before: a first look replaces no decoding.
  if (!sample.verified) RETURN_IF_ERROR(jpeg_.Check(sample));
  EncodedSample sound = sample;
  sound.verified = true;
  ASSIGN_OR_RETURN(const std::optional<PixelRegion> region,
                   device_->Decode(sound, rect, log2_shrink));
  if (region.has_value()) return *region;
  return jpeg_.Decode(sound, rect, log2_shrink);
}

}  // namespace data
