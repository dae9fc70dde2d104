// What pack does to one sample.
#ifndef DATA_SHARD_SAMPLE_PACKER_H_
#define DATA_SHARD_SAMPLE_PACKER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/codec/image_decoder.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/resizer.h"
#include "data/sources/dataset.h"

namespace data {

struct SamplePackOptions {
  // Larger images are shrunk so that their longer side is this. 0: none is.
  int max_side = 0;
  // Of images that are compressed anew: those shrunk or turned. 1 to 100.
  int quality = 90;
  // The share of samples kept as raw pixels, drawn by sample.
  double raw_fraction = 0;
  // Turns images as their EXIF orientation says, which loaders otherwise ignore.
  bool apply_orientation = false;
  // Keeps JPEGs as they are instead of transcoding them.
  bool keep_jpeg = false;
};

struct PackedSample {
  Encoding encoding = Encoding::kJpeg;
  int width = 0;
  int height = 0;
  RestartJpeg data;  // also of other encodings: then without restarts
  std::vector<std::optional<std::string>> fields;

  EncodedSample view() const;
};

// For one thread at a time.
class SamplePacker {
 public:
  explicit SamplePacker(const SamplePackOptions& options) : options_(options) {}

  // A function of the sample's bytes and index, and the options. The result was decoded whole
  // without an error. DataLoss if the sample is damaged, or too large for a shard; errors name it.
  // `content` becomes the SampleContent of what was read, also if that is damaged; 0 if nothing
  // was.
  absl::StatusOr<PackedSample> Pack(const Dataset& dataset, int64_t index, uint64_t& content);

 private:
  absl::StatusOr<PackedSample> PackUnnamed(const Dataset& dataset, int64_t index,
                                           uint64_t& content);
  absl::StatusOr<PackedSample> Recompress(const EncodedSample& sample, int orientation, bool raw);
  absl::StatusOr<PackedSample> Transcode(const EncodedSample& sample);

  SamplePackOptions options_;
  ImageDecoder decoder_;
  Resizer resizer_;
  ScratchBuffer bytes_;
};

}  // namespace data

#endif  // DATA_SHARD_SAMPLE_PACKER_H_
