#include "data/loader/preprocessor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace data {

Preprocessor::Preprocessor(const Augmentation& augmentation, PixelFormat format,
                           VerifiedSamples* verified, std::shared_ptr<JpegDevice> jpeg_device)
    : augmentation_(augmentation),
      writer_(format, augmentation.normalization, augmentation.size, augmentation.size),
      rgb_writer_(PixelFormat::kUint8Nhwc, {}, augmentation.size, augmentation.size),
      verified_(*verified),
      decoder_(std::move(jpeg_device)),
      row_(size_t{4} * augmentation.size) {}

absl::Status Preprocessor::Run(const Dataset& dataset, const absl::StatusOr<EncodedSample>& sample,
                               int64_t index, Random random, uint8_t* image) {
  const absl::Status status = RunUnnamed(sample, index, random, image);
  if (status.ok()) return status;
  std::string which = absl::StrCat("sample ", index);
  // A server that did not send the sample has its name, too: it would be waited for as long.
  const bool lost = dataset.read_depth() > 0 && !sample.ok() && !absl::IsDataLoss(status);
  if (!lost) absl::StrAppend(&which, " (", dataset.name(index), ")");
  return absl::Status(status.code(), absl::StrCat(which, ": ", status.message()));
}

absl::StatusOr<PixelRegion> Preprocessor::Decode(int64_t index, EncodedSample sample,
                                                 const Rect& rect, int log2_shrink) {
  if (sample.verified || sample.encoding != Encoding::kJpeg) {
    return decoder_.Decode(sample, rect, log2_shrink);
  }
  const uint64_t hash = VerifiedSamples::Hash(sample);
  sample.verified = verified_.Contains(index, hash);
  ASSIGN_OR_RETURN(const PixelRegion region, decoder_.Decode(sample, rect, log2_shrink));
  verified_.Insert(index, hash);
  return region;
}

absl::Status Preprocessor::RunUnnamed(const absl::StatusOr<EncodedSample>& read, int64_t index,
                                      Random random, uint8_t* image) {
  ASSIGN_OR_RETURN(EncodedSample sample, read);
  RETURN_IF_ERROR(ImageDecoder::FindSize(sample));
  ASSIGN_OR_RETURN(const View view, DrawView(augmentation_, sample.width, sample.height, random));
  const bool resize = augmentation_.crop != Augmentation::Crop::kShift;
  const int shrink =
      resize ? ImageDecoder::Log2Shrink(sample.encoding, view.source, augmentation_.size) : 0;
  ASSIGN_OR_RETURN(const PixelRegion region, Decode(index, sample, view.source, shrink));
  const bool change = augmentation_.policy.any();
  const PixelWriter& writer = change ? rgb_writer_ : writer_;
  uint8_t* const pixels = change ? rgb_.Reserve(rgb_writer_.image_size()) : image;
  if (resize) {
    const double factor = 1.0 / (1 << shrink);
    const Area part = {view.source.x * factor, view.source.y * factor, view.source.width * factor,
                       view.source.height * factor};
    resizer_.Resize(region, part, view.mirror, writer, pixels);
  } else {
    CopyShifted(region, view, writer, pixels);
  }
  if (change) WriteChanged(random, image);
  writer_.Erase(view.erased, image);
  erased_ = view.erased;
  return absl::OkStatus();
}

// Changes the pixels in `rgb_` and writes them.
void Preprocessor::WriteChanged(Random& random, uint8_t* image) {
  const int size = augmentation_.size;
  const RgbImage rgb = {rgb_.Reserve(rgb_writer_.image_size()), size, size};
  ApplyPixelPolicy(augmentation_.policy, random, rgb, changing_);
  const uint8_t* from = rgb.pixels;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x, from += 3) {
      for (int c = 0; c < 3; ++c) row_[4 * x + c] = from[c] << kPixelShift;
    }
    writer_.WriteRow(row_.data(), y, image);
  }
}

void Preprocessor::CopyShifted(const PixelRegion& region, const View& view,
                               const PixelWriter& writer, uint8_t* image) {
  const Rect& source = view.source;
  const Rect& target = view.target;
  for (int y = 0; y < augmentation_.size; ++y) {
    std::fill(row_.begin(), row_.end(), 0);
    if (y >= target.y && y < target.y + target.height) {
      const uint8_t* from = region.pixels +
                            (source.y + y - target.y - region.rect.y) * region.stride +
                            4 * (source.x - region.rect.x);
      for (int x = target.x; x < target.x + target.width; ++x, from += 4) {
        int32_t* to = &row_[4 * (view.mirror ? augmentation_.size - 1 - x : x)];
        for (int c = 0; c < 3; ++c) to[c] = from[c] << kPixelShift;
      }
    }
    writer.WriteRow(row_.data(), y, image);
  }
}

}  // namespace data
