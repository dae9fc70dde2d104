#include "data/shard/sample_packer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/codec/exif.h"
#include "data/io/sample_content.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/random.h"

namespace data {
namespace {

constexpr int kMaxSide = std::numeric_limits<uint16_t>::max();

}  // namespace

EncodedSample PackedSample::view() const {
  EncodedSample sample;
  sample.encoding = encoding;
  sample.bytes = data.bytes;
  sample.width = width;
  sample.height = height;
  sample.restarts = data.restarts();
  for (const std::optional<std::string>& field : fields) {
    sample.fields.emplace_back();
    if (field.has_value()) {
      sample.fields.back() = {reinterpret_cast<const uint8_t*>(field->data()), field->size()};
    }
  }
  return sample;
}

absl::StatusOr<PackedSample> SamplePacker::Pack(const Dataset& dataset, int64_t index,
                                                uint64_t& content) {
  content = 0;
  auto packed = PackUnnamed(dataset, index, content);
  if (packed.ok() && std::max(packed->width, packed->height) > kMaxSide) {
    packed = absl::DataLossError(absl::StrCat("is ", packed->width, "x", packed->height,
                                              " pixels; a shard takes sides up to ", kMaxSide));
  }
  if (packed.ok()) return packed;
  return absl::Status(
      packed.status().code(),
      absl::StrCat("sample ", index, " (", dataset.name(index), "): ", packed.status().message()));
}

absl::StatusOr<PackedSample> SamplePacker::PackUnnamed(const Dataset& dataset, int64_t index,
                                                       uint64_t& content) {
  ASSIGN_OR_RETURN(EncodedSample sample, dataset.Read(index, bytes_));
  content = SampleContent(sample);
  std::vector<std::optional<std::string>> fields;
  for (const absl::Span<const uint8_t> field : sample.fields) {
    fields.emplace_back();
    if (field.data() != nullptr) fields.back().emplace(field.begin(), field.end());
  }
  RETURN_IF_ERROR(ImageDecoder::FindSize(sample));
  const int orientation = options_.apply_orientation && sample.encoding == Encoding::kJpeg
                              ? ExifOrientation(sample.bytes)
                              : kUpright;
  const bool large =
      options_.max_side > 0 && std::max(sample.width, sample.height) > options_.max_side;
  const bool raw = Random(index).Uniform() < options_.raw_fraction;
  ASSIGN_OR_RETURN(PackedSample packed, raw || large || orientation != kUpright
                                            ? Recompress(sample, orientation, raw)
                                            : Transcode(sample));
  packed.fields = std::move(fields);
  return packed;
}

absl::StatusOr<PackedSample> SamplePacker::Recompress(const EncodedSample& sample, int orientation,
                                                      bool raw) {
  ASSIGN_OR_RETURN(const PixelRegion region, decoder_.Decode(sample));
  const int longer = std::max(sample.width, sample.height);
  const double scale = options_.max_side > 0 && longer > options_.max_side
                           ? static_cast<double>(options_.max_side) / longer
                           : 1;
  int width = std::max(1, static_cast<int>(std::lround(sample.width * scale)));
  int height = std::max(1, static_cast<int>(std::lround(sample.height * scale)));
  const PixelWriter writer(PixelFormat::kUint8Nhwc, Normalization(), width, height);
  std::vector<uint8_t> rgb(writer.image_size());
  const Area all = {0, 0, static_cast<double>(sample.width), static_cast<double>(sample.height)};
  resizer_.Resize(region, all, /*mirror=*/false, writer, rgb.data());
  TurnUpright(orientation, width, height, rgb);

  PackedSample packed;
  if (raw) {
    packed.encoding = Encoding::kRawRgb;
    packed.data.bytes = std::move(rgb);
  } else {
    ASSIGN_OR_RETURN(packed.data, EncodeJpeg(rgb.data(), width, height, options_.quality));
  }
  packed.width = width;
  packed.height = height;
  return packed;
}

absl::StatusOr<PackedSample> SamplePacker::Transcode(const EncodedSample& sample) {
  PackedSample packed;
  packed.encoding = sample.encoding;
  packed.width = sample.width;
  packed.height = sample.height;
  if (sample.encoding == Encoding::kJpeg && !options_.keep_jpeg) {
    auto transcoded = TranscodeJpeg(sample.bytes);
    if (!transcoded.ok() && !absl::IsUnimplemented(transcoded.status())) return transcoded.status();
    if (transcoded.ok()) packed.data = *std::move(transcoded);
  }
  if (packed.data.bytes.empty()) packed.data.bytes.assign(sample.bytes.begin(), sample.bytes.end());
  // What a shard's checksum vouches for.
  RETURN_IF_ERROR(decoder_.Decode(packed.view()).status());
  return packed;
}

}  // namespace data
